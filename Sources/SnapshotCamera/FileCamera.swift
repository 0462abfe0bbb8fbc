import Glibc
import SnapshotBase
import SnapshotProcesses

/// A picture in a file, which another program may be writing in place; the camera waits up to two seconds for that to
/// end.
struct FileCamera: Camera {
    /// The first of these that exists is read.
    let paths: [String]
    let maxBytes: Int
    let statePath: String
    let context: ProcessContext
    /// A file whose last change is longer ago isn't being written.
    private static let stableAfter = Duration.seconds(1)

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            let isNear = paths.allSatisfy { FileSystems.areSame($0, statePath) }
            if isNear { return try stableBytes(until: deadline) }
        } catch {
            throw failure("\(error)", error)
        }
        return try readInChild(until: deadline)
    }

    /// Reads the file in a forked process, since it lies on another file system, which may hang.
    private func readInChild(until deadline: Deadline) throws(Failure) -> [UInt8] {
        let picture: FileHandle
        do throws(SystemError) { picture = try FileHandle.inMemory() } catch { throw failure("\(error)", error) }
        let forked = ForkedWork(lock: statePath + "/camera.lock", stop: context.stop)
        let (lines, ending) = forked.run(until: deadline, keeping: picture.descriptor) { reporter in
            do throws(SystemError) {
                try picture.write(stableBytes(until: deadline))
                reporter.send(Array("0".utf8))
            } catch {
                reporter.send(Array("\(error.number)".utf8))
            }
        }
        guard let number = lines.last.flatMap({ Int32(String(decoding: $0, as: UTF8.self)) }) else {
            throw unread(ending)
        }
        do throws(SystemError) {
            guard number == 0 else { throw SystemError("read", number: number) }
            guard lseek(picture.descriptor, 0, SEEK_SET) == 0 else { throw SystemError("lseek") }
            return try picture.readAll(limit: maxBytes)
        } catch {
            throw failure("\(error)", error)
        }
    }

    /// Waits until the file doesn't change while it is read, and either is a whole JPEG or was last changed over a
    /// second ago; at most two seconds. Returns its bytes.
    private func stableBytes(until deadline: Deadline) throws(SystemError) -> [UInt8] {
        let timeout = deadline.sooner(Self.stableAfter * 2)
        while true {
            let (bytes, isChanging, age) = try read()
            let isWhole = (try? JPEG(checking: bytes)) != nil
            let isFresh = (0...Int64(Self.stableAfter.milliseconds)).contains(age)
            if isWhole && !isChanging || !isChanging && !isFresh || timeout.hasPassed { return bytes }
            sleep(.milliseconds(20), until: timeout)
        }
    }

    /// The file's bytes, whether it changed during reading, and its age in milliseconds.
    private func read() throws(SystemError) -> (bytes: [UInt8], isChanging: Bool, age: Int64) {
        let file = try open()
        let before = try file.status()
        guard before.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", number: EINVAL) }
        let bytes = try file.readAll(limit: maxBytes + 1)
        guard bytes.count <= maxBytes else { throw SystemError("read", number: EFBIG) }
        let after = try file.status()
        let isSame =
            before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec
            && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec
        return (bytes, !isSame, context.clock.wall().milliseconds - Timestamp(after.st_mtim).milliseconds)
    }

    private func open() throws(SystemError) -> FileHandle {
        for path in paths.dropLast() {
            do throws(SystemError) { return try FileHandle(opening: path, O_RDONLY | O_NONBLOCK) } catch {
                guard error.number == ENOENT else { throw error }
            }
        }
        return try FileHandle(opening: paths.last ?? "", O_RDONLY | O_NONBLOCK)
    }

    private func failure(_ why: String, _ error: SystemError? = nil) -> Failure {
        Failure(
            .camera(.file), "cannot read picture", paths.last ?? "",
            why: error?.number == EINVAL ? "it isn't a regular file" : why,
            hint: "after file: CAMERA_URL must have the path of a JPEG file", cause: error)
    }

    private func unread(_ ending: ForkedWork.Ending) -> Failure {
        var failure =
            switch ending {
            case .stillHangs: failure("its folder hangs: an earlier run still waits for it")
            case .givenUp, .finished: failure("its folder hangs")
            case .failed(let why): failure(why)
            }
        failure.hint = Failure.hangHint(parentDirectory(paths.last ?? ""))
        return failure
    }
}
