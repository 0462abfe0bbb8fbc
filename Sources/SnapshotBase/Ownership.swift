import CLinux
import Glibc

extension FileHandle {
    /// Whether a file or folder belongs to root or the effective user, and no other user can write it.
    package func isWritableByOwnersOnly() throws(SystemError) -> Bool {
        let facts = try status()
        guard facts.st_uid == 0 || facts.st_uid == geteuid(), facts.st_mode & S_IWOTH == 0 else { return false }
        guard facts.st_mode & S_IWGRP != 0 else { return true }
        // With an access control list the group bits are the mask for all users and groups listed there.
        return !shim_has_access_list(descriptor) && isPrivateGroup(facts.st_gid, of: facts.st_uid)
    }
}

/// Whether `user` is the only member of `group`, as with the per-user groups of many systems.
private func isPrivateGroup(_ group: gid_t, of user: uid_t) -> Bool {
    guard let name = UserAccount(user)?.name, let entry = getgrgid(group) else { return false }
    var members = entry.pointee.gr_mem
    while let list = members, let member = list.pointee {
        guard String(cString: member) == name else { return false }
        members = list + 1
    }
    setpwent()
    defer { endpwent() }
    while let account = getpwent() {
        if account.pointee.pw_gid == group, account.pointee.pw_uid != user { return false }
    }
    return true
}
