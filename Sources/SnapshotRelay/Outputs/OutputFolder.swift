import Glibc
import SnapshotBase

/// A folder that ffmpeg writes into. It is handed over open: whoever may write in a folder above could put another, or a
/// link, in its place at any time.
struct OutputFolder: Sendable {
    let path: String
    private(set) var folder: Folder

    /// Makes it where it is missing.
    init(_ path: String) throws(SystemError) {
        self.path = path
        folder = try Folder(private: path, creating: 0o755)
    }

    /// Whether its path leads elsewhere by now, to a folder that will do.
    var isReplaced: Bool { present.map { !isSame($0) } ?? false }

    /// Whether its path still leads to it.
    var isInPlace: Bool { (try? Folder(path)).map { isSame($0) } ?? false }

    /// From now on whatever its path leads to, if that will do.
    mutating func reopen() {
        if let present { folder = present }
    }

    private var present: Folder? { try? Folder(private: path, creating: nil) }

    private func isSame(_ other: Folder) -> Bool {
        guard let ours = try? folder.handle.status(), let theirs = try? other.handle.status() else { return false }
        return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev
    }
}
