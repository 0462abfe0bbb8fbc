import Glibc
import SnapshotBase

/// A folder that ffmpeg writes into. ffmpeg gets it as an open descriptor, since a user with write access to a parent
/// folder could replace the path, e.g. by a symbolic link, at any time.
struct FFmpegFolder: Sendable {
    let path: String
    let folder: Folder

    /// Opens the folder, and creates it where it is missing.
    init(_ path: String) throws(SystemError) {
        self.path = path
        folder = try Folder(private: path, creating: 0o755)
    }

    /// Whether the path still leads to this folder. If not, readers of the path don't see what is written into it.
    var isInPlace: Bool { (try? Folder(path)).map { isSame(folder, $0) } ?? false }

    /// Why nothing can be written to the folder; nil where no reason is known.
    /// - Parameter probing: whether to try with a test file of 64 KiB, which wears SD cards.
    func trouble(probing: Bool) -> FolderTrouble? {
        if isFull(path) { return .full }
        guard probing else { return nil }
        let name = ".relay-probe"
        folder.remove(name)
        defer { folder.remove(name) }
        do throws(SystemError) {
            try folder.open(name, O_WRONLY | O_CREAT | O_EXCL).write(Array(repeating: 0, count: 1 << 16))
            return nil
        } catch {
            return FolderTrouble(error)
        }
    }
}

/// Whether less than 512 KiB are free, too little for a fragment of video.
func isFull(_ path: String) -> Bool { freeBytes(path).map { $0 < 512 << 10 } ?? false }

/// Whether both are the same folder, by device and inode.
func isSame(_ one: Folder, _ other: Folder) -> Bool {
    guard let one = try? one.handle.status(), let other = try? other.handle.status() else { return false }
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev
}
