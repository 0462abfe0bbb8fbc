import Glibc

/// An entry of the system's user database.
package struct UserAccount: Equatable, Sendable {
    package let name: String
    package let id: uid_t
    /// The user's primary group.
    package let group: gid_t
    package let home: String

    /// nil if no user has that number.
    package init?(_ id: uid_t) { self.init { getpwuid_r(id, $0, $1, $2, $3) } }

    /// nil if no user has that name.
    package init?(named name: String) { self.init { getpwnam_r(name, $0, $1, $2, $3) } }

    private init?(
        _ find: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16384)
        let account = text.withUnsafeMutableBufferPointer { text -> UserAccount? in
            guard let start = text.baseAddress, find(&entry, start, text.count, &found) == 0, found != nil,
                let name = entry.pw_name, let home = entry.pw_dir
            else { return nil }
            return UserAccount(
                name: String(cString: name), id: entry.pw_uid, group: entry.pw_gid, home: String(cString: home))
        }
        guard let account else { return nil }
        self = account
    }

    /// The unprivileged user `nobody`.
    package static let nobody =
        UserAccount(named: "nobody") ?? UserAccount(name: "nobody", id: 65534, group: 65534, home: "/")

    /// The group with access to local cameras, or `nogroup` if there is none.
    package static let videoGroup: gid_t = getgrnam("video")?.pointee.gr_gid ?? 65534

    private init(name: String, id: uid_t, group: gid_t, home: String) {
        (self.name, self.id, self.group, self.home) = (name, id, group, home)
    }
}
