import Glibc
import SnapshotBase
import SnapshotHTTP

/// Whether files can be made in a directory, found out by making one that has no name and is gone when closed.
enum DirectoryProbe: Equatable {
    case writable
    /// It isn't there, and can be made.
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

    /// `O_TMPFILE`, without its directory flag, which isn't the same everywhere.
    private static let nameless: Int32 = 0o20_000_000

    private static func write(in path: String) throws(SystemError) {
        let page = [UInt8](repeating: 0x20, count: 4096)
        do throws(SystemError) {
            try Folder(path).open(".", O_WRONLY | nameless | O_DIRECTORY).write(page)
        } catch  where [EOPNOTSUPP, EISDIR, EINVAL].contains(error.number) {
            // A file system without nameless files.
            let name = path + "/.snapshot-check-" + hexadecimal(Crypto.random(4))
            let file = try openFile(name, O_WRONLY | O_CREAT | O_EXCL)
            defer { removeFile(name) }
            try file.write(page)
        }
    }
}

/// `path`, or the nearest of the directories above it that is there.
func nearestDirectory(_ path: String) -> String {
    var path = path
    while !fileExists(path), parentDirectory(path) != path { path = parentDirectory(path) }
    return path
}

/// What to do about a directory that can't be written, as a command where there is one.
func hint(for error: SystemError, directory: String) -> String? {
    let nearest = nearestDirectory(directory)
    switch error.number {
    case EACCES, EPERM:
        // Root becomes the owner, or the service's user; a folder for whoever types this would be closed to those.
        if nearest == directory, let owner = owner(of: directory), owner.id != geteuid() {
            return "sudo snapshot check"
        }
        let user = UserAccount(geteuid())?.name ?? "\(geteuid())"
        return "sudo install -d -o \(user) -g \"$(id -gn \(user))\" -m 750 \(directory)"
    case ENOSPC, EDQUOT: return "df -h \(nearest)"
    case EROFS: return "findmnt -T \(nearest)"
    // The failure's own hint says more.
    case ENOENT, EINVAL, EILSEQ, ENAMETOOLONG, ENODEV, ENOTCONN, ESTALE, ENOMEDIUM: return nil
    case ENOTDIR, EEXIST: return "ls -l \(nearest)"
    default: return "ls -ld \(nearest)"
    }
}

/// Who owns a file; the number stands for the name where it has none.
func owner(of path: String) -> (id: uid_t, name: String)? {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return nil }
    return (facts.st_uid, UserAccount(facts.st_uid)?.name ?? "#\(facts.st_uid)")
}
