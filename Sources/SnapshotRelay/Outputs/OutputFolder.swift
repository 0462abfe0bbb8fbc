import Glibc
import SnapshotBase

/// A folder that ffmpeg writes into. It is handed over open: whoever may write in a folder above could put another, or a
/// link, in its place at any time.
struct OutputFolder: Sendable {
    let path: String
    let folder: Folder

    /// Makes it where it is missing.
    init(_ path: String) throws(SystemError) {
        self.path = path
        folder = try Folder(private: path, creating: 0o755)
    }

    /// Whether its path still leads to it. One whose path leads elsewhere is of no use to anybody who looks there.
    var isInPlace: Bool { (try? Folder(path)).map { isSame(folder, $0) } ?? false }

    /// Why nothing can be written to it; nil where something can.
    /// - Parameter probing: whether to write something, which wears cards.
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

/// Whether there is too little room for a piece of video.
func isFull(_ path: String) -> Bool { freeBytes(path).map { $0 < 512 << 10 } ?? false }

/// Whether both are the same folder of the same disk.
func isSame(_ one: Folder, _ other: Folder) -> Bool {
    guard let one = try? one.handle.status(), let other = try? other.handle.status() else { return false }
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev
}
