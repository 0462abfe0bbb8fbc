import Glibc
import SnapshotBase

/// A picture in a file, e.g. one that another program keeps fresh. One that is just being written in place is waited
/// for a little.
struct FileCamera: Camera {
    let path: String
    let maxBytes: Int
    /// A file that has been as it is for so long isn't being written.
    private static let calm = Duration.seconds(1)

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        let patience = deadline.sooner(Self.calm * 2)
        do throws(SystemError) {
            while true {
                let (bytes, isChanging) = try read()
                let isWhole = (try? JPEG(checking: bytes)) != nil
                if isWhole && !isChanging || !isChanging && !isFresh() || patience.hasPassed { return bytes }
                sleep(.milliseconds(20), until: patience)
            }
        } catch {
            throw Failure(
                .camera(.file), "cannot read picture", path,
                why: error.number == EINVAL ? "it isn't a regular file" : "\(error)",
                hint: "CAMERA_URL=file: wants the path of a JPEG file", cause: error)
        }
    }

    /// The file's bytes, and whether it changed while they were read.
    private func read() throws(SystemError) -> (bytes: [UInt8], isChanging: Bool) {
        let file = try FileHandle(opening: path, O_RDONLY | O_NONBLOCK)
        let before = try file.status()
        guard before.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", number: EINVAL) }
        let bytes = try file.readAll(limit: maxBytes + 1)
        guard bytes.count <= maxBytes else { throw SystemError("read", number: EFBIG) }
        let after = try file.status()
        let isSame =
            before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec
            && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec
        return (bytes, !isSame)
    }

    /// Whether it was written a moment ago, by the wall clock.
    private func isFresh() -> Bool {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return false }
        let age = Timestamp.now().milliseconds - Timestamp(facts.st_mtim).milliseconds
        return (0...Int64(Self.calm.milliseconds)).contains(age)
    }
}
