import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// Checks whether files can be created in a directory, by creating a file without a name, which vanishes when it is
/// closed.
enum DirectoryProbe: Equatable {
    case writable
    /// It doesn't exist, but can be created.
    case missing

    init(_ path: String) throws(SystemError) {
        if fileExists(path) {
            try Self.write(in: path)
            self = .writable
        } else {
            try Self.write(in: nearestDirectory(path))
            self = .missing
        }
    }

    /// `O_TMPFILE` without `O_DIRECTORY`, whose value depends on the architecture.
    private static let nameless: Int32 = 0o20_000_000

    private static func write(in path: String) throws(SystemError) {
        let page = [UInt8](repeating: 0x20, count: 4096)
        do throws(SystemError) {
            try Folder(path).open(".", O_WRONLY | nameless | O_DIRECTORY).write(page)
        } catch  where [EOPNOTSUPP, EISDIR, EINVAL].contains(error.number) {
            // The file system doesn't support O_TMPFILE.
            let name = path + "/.snapshot-check-" + hexadecimal(Crypto.random(4))
            let file = try openFile(name, O_WRONLY | O_CREAT | O_EXCL)
            defer { removeFile(name) }
            try file.write(page)
        }
    }
}

/// `path` if it exists; otherwise the nearest directory above it that does.
func nearestDirectory(_ path: String) -> String {
    var path = path
    while !fileExists(path), parentDirectory(path) != path { path = parentDirectory(path) }
    return path
}

/// The refusal of a folder for pictures on a pseudo file system; nil on any other.
package func pseudoFolder(_ path: String, _ code: Failure.Code = .own(.settings)) -> Failure? {
    guard isOnPseudoFileSystem(path) else { return nil }
    return Failure(
        code, "cannot store in", path,
        why: "\(nearestDirectory(path)) is on a pseudo file system, which keeps no pictures",
        hint: "choose a folder on a disk")
}

/// What to do about a directory that can't be written, as a command where possible.
func hint(for error: SystemError, directory: String) -> String? {
    let nearest = nearestDirectory(directory)
    switch error.number {
    case EACCES, EPERM:
        // The directory belongs to another user. Don't advise to give it to the present user, which would lock the
        // service out. Run by root, the check becomes that owner.
        if nearest == directory, let owner = owner(of: directory), owner.id != geteuid() {
            return "sudo snapshot check"
        }
        let user = UserAccount(geteuid())?.name ?? "\(geteuid())"
        if access(nearest, X_OK) != 0 { return "user \(user) may not enter \(nearest); choose a folder elsewhere" }
        return "sudo install -d -o \(user) -g \"$(id -gn \(user))\" -m 750 \(directory)"
    case ENOSPC, EDQUOT: return "df -h \(nearest)   # it is full"
    case EROFS: return Mount.readOnlyHint(nearest) ?? "findmnt -T \(nearest)   # it is mounted read-only"
    // The failure's own hint says more.
    case ENOENT, EINVAL, EILSEQ, ENAMETOOLONG, ENODEV, ENOTCONN, ESTALE, ENOMEDIUM: return nil
    case ENOTDIR, EEXIST: return "ls -l \(nearest)"
    default: return "ls -ld \(nearest)   # is it there, and whose is it?"
    }
}

/// A file's owner; `#UID` is the name of a user without one. nil where the file doesn't exist.
func owner(of path: String) -> (id: uid_t, name: String)? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return (status.st_uid, UserAccount(status.st_uid)?.name ?? "#\(status.st_uid)")
}
