import CLinux
import Glibc
import SnapshotBase
import Synchronization

/// Files that settings name. In a network folder that hangs the kernel would block this process, even against SIGKILL,
/// so a forked child, which can be left behind, reads the file first. For files elsewhere nothing is forked.
package enum NamedFile {
    /// How long a folder may take to answer.
    private static let patience = Duration.seconds(5)
    /// Mount points that did not answer, and until when they aren't asked again.
    private static let silent = Mutex<[(mount: String, until: Deadline)]>([])

    /// Call it before anything touches the file.
    /// - Throws: `SystemError` with ETIME where its folder hangs.
    package static func ask(_ path: String) throws(SystemError) {
        guard let mount = FileSystems.mountThatMayHang(path) else { return }
        let isSilent = silent.withLock { list in
            list.removeAll { $0.until.hasPassed }
            return list.contains { $0.mount == mount }
        }
        let ending = isSilent ? .stillHangs : read(path, on: mount)
        switch ending {
        case .finished: return
        case .failed: throw SystemError("fork", number: EAGAIN)
        case .leftBehind, .stillHangs:
            silent.withLock { $0.append((mount, .after(patience * 2))) }
            throw SystemError("open", number: ETIME)
        }
    }

    private static func read(_ path: String, on mount: String) -> ForkedWork.Ending {
        let name = "wait-" + crc32(Array(mount.utf8)[...]).hexadecimal
        let deadline = Deadline.after(patience)
        // Another child that waits there may have been left behind: don't add to it.
        while isRunning(name) {
            if deadline.hasPassed { return .stillHangs }
            sleep(.milliseconds(50), until: deadline)
        }
        return ForkedWork(lock: nil, stop: .bySignal).run(until: deadline) { _ in
            shim_set_name(name)
            var facts = stat()
            // Opening a pipe would disturb its writer.
            guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return }
            _ = try? FileHandle(opening: path, O_RDONLY).readAll(limit: 1 << 20)
        }.1
    }

    /// Whether this user has a process of that name.
    private static func isRunning(_ name: String) -> Bool {
        ((try? listDirectory("/proc")) ?? []).contains { process in
            var facts = stat()
            guard process.utf8.allSatisfy({ (48...57).contains($0) }), stat("/proc/\(process)", &facts) == 0,
                facts.st_uid == geteuid(), let bytes = try? readFile("/proc/\(process)/comm", limit: 16)
            else { return false }
            return bytes.elementsEqual("\(name)\n".utf8)
        }
    }
}

extension SystemError {
    /// What to do about a file that can't be read because its folder hangs; nil after other errors.
    package func hint(reading path: String) -> String? {
        number == ETIME ? Failure.answerHint(parentDirectory(path)) : nil
    }
}

/// Reads a whole file that the user named.
/// - Parameters:
///   - limit: in bytes; a larger file is refused with EFBIG.
///   - isNear: whether it is in a folder that can't hang.
///   - timeout: the time within which a FIFO's writer has to write everything.
/// - Throws: `SystemError`, with ETIME where the file's folder hangs.
package func readNamedFile(
    _ path: String, limit: Int, isNear: Bool = false, timeout: Duration = .seconds(5)
) throws(SystemError) -> [UInt8] {
    if !isNear { try NamedFile.ask(path) }
    let file = try FileHandle(opening: path, O_RDONLY | O_NONBLOCK)
    var bytes: [UInt8] = []
    if try file.status().st_mode & S_IFMT == S_IFREG {
        bytes = try file.readAll(limit: limit + 1)
    } else {
        let deadline = Deadline.after(timeout)
        while bytes.count <= limit {
            var waiting = pollfd(fd: file.descriptor, events: Int16(POLLIN), revents: 0)
            guard retrying({ poll(&waiting, 1, Int32(clamping: deadline.millisecondsLeft)) }) > 0 else {
                throw SystemError("read", number: ETIMEDOUT)
            }
            var got = 0
            let piece = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                got = retrying { read(file.descriptor, buffer.baseAddress, buffer.count) }
                count = max(0, got)
            }
            if got < 0 { throw SystemError("read") }
            if got == 0 { break }
            bytes += piece
        }
    }
    guard bytes.count <= limit else { throw SystemError("read", number: EFBIG) }
    return bytes
}
