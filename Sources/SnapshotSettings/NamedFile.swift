import CLinux
import Glibc
import SnapshotBase
import SnapshotProcesses
import Synchronization

/// Checks the folders of files that settings name. The kernel blocks a process that reads in a network folder that
/// hangs, even against SIGKILL. A forked child, which can be left behind, therefore reads such a file first. For
/// files elsewhere nothing is forked.
package enum NamedFile {
    /// How long a folder may take to respond.
    private static let timeout = Duration.seconds(5)
    /// Mount points that did not respond, and until when they count as silent without another try.
    private static let silent = Mutex<[(mount: String, until: Deadline)]>([])

    /// Returns once the file's folder has responded, at once where it can't hang. Call it before any other access to
    /// the file.
    /// - Throws: `SystemError` with ETIME where the folder hangs.
    package static func checkResponds(_ path: String) throws(SystemError) {
        guard let mount = FileSystems.mountThatMayHang(path) else { return }
        let isSilent = silent.withLock { list in
            list.removeAll { $0.until.hasPassed }
            return list.contains { $0.mount == mount }
        }
        if isSilent { throw SystemError("open", number: ETIME) }
        switch read(path, on: mount) {
        case .finished: return
        case .failed: throw SystemError("fork", number: EAGAIN)
        case .givenUp, .stillHangs:
            silent.withLock { $0.append((mount, .after(timeout * 2))) }
            throw SystemError("open", number: ETIME)
        }
    }

    private static func read(_ path: String, on mount: String) -> ForkedWork.Ending {
        let name = "wait-" + crc32(Array(mount.utf8)[...]).hexadecimal
        let deadline = Deadline.after(timeout)
        // A child that was left behind may wait there already: don't add another. A zombie of our own doesn't count.
        ForkedWork.reapLeftBehind()
        while isRunning(name) {
            if deadline.hasPassed { return .stillHangs }
            sleep(.milliseconds(50), until: deadline)
        }
        return ForkedWork(lock: nil, stop: .bySignal).run(until: deadline) { _ in
            shim_set_name(name)
            var status = stat()
            // Opening a pipe would disturb its writer.
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
            _ = try? FileHandle(opening: path, O_RDONLY).readAll(limit: 1 << 20)
        }.1
    }

    /// Whether this user has a process of that name.
    private static func isRunning(_ name: String) -> Bool {
        ((try? listDirectory("/proc")) ?? []).contains { process in
            var status = stat()
            guard process.utf8.allSatisfy({ (48...57).contains($0) }), stat("/proc/\(process)", &status) == 0,
                status.st_uid == geteuid(), let bytes = try? readFile("/proc/\(process)/comm", limit: 16)
            else { return false }
            return bytes.elementsEqual("\(name)\n".utf8)
        }
    }
}

extension SystemError {
    /// What to do about a file that can't be read because its folder hangs; nil after other errors.
    package func hint(reading path: String) -> String? {
        number == ETIME ? Failure.hangHint(parentDirectory(path)) : nil
    }
}

/// Reads a whole file that the user named.
/// - Parameters:
///   - limit: in bytes; a larger file is refused with EFBIG.
///   - cannotHang: whether the file is in a folder that can't hang.
///   - timeout: the time within which a FIFO's writer has to write everything.
/// - Throws: `SystemError`, with ETIME where the file's folder hangs.
package func readNamedFile(
    _ path: String, limit: Int, cannotHang: Bool = false, timeout: Duration = .seconds(5)
) throws(SystemError) -> [UInt8] {
    if !cannotHang { try NamedFile.checkResponds(path) }
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
