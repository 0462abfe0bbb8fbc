import CLinux
import Glibc
import SnapshotBase
import Synchronization

extension FileHandle {
    /// Creates a file that exists only in memory and has no name; a forked child can fill it.
    package static func inMemory() throws(SystemError) -> FileHandle {
        let descriptor = shim_memory_file()
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        return FileHandle(owning: descriptor)
    }
}

/// Runs work that may hang for ever, such as writing into a folder on an unreachable server: the kernel then blocks the
/// process, even against SIGKILL. The work runs in a forked child, which can be left behind.
///
/// The lock file allows one such child at a time: before the fork the caller waits while another run's child holds it.
/// It doesn't wait for a child that was left behind, whose lock file isn't empty.
package struct ForkedWork: Sendable {
    package enum Ending: Equatable, Sendable {
        /// The child exited normally, so its report is complete.
        case finished
        /// The deadline passed, or this program received a termination signal. The child was killed, or left behind
        /// if that didn't end it.
        case givenUp
        /// No child was forked: a child that was left behind still holds the lock, or another run's child held it until
        /// the deadline or a stop request.
        case stillHangs
        /// The child died or could not be started.
        case failed(String)
    }

    /// Sends lines from the child to the parent.
    package struct Reporter {
        fileprivate let writer: FileHandle

        package func send(_ line: [UInt8]) { try? writer.write(line + [UInt8(ascii: "\n")]) }
    }

    /// The path of the lock file, which is created if it is missing; nil: any number of children may run.
    private let lockPath: String?
    /// Children that were left behind and must still be reaped.
    private static let leftBehind = Mutex<[pid_t]>([])
    /// How long a child may continue after this program received a termination signal.
    private static let grace = Duration.seconds(2)

    private let stop: StopRequest

    package init(lock: String?, stop: StopRequest) { (lockPath, self.stop) = (lock, stop) }

    /// Runs `work` in a forked child and collects the lines that it reports.
    /// - Parameters:
    ///   - keeping: a descriptor that the work needs; the child's other descriptors are closed.
    ///   - work: runs in the child. The lines that it reports are returned even if it hangs or dies afterwards.
    /// - Returns: the reported lines, without line ends, and how the child ended.
    package func run(
        until deadline: Deadline, keeping descriptor: Int32? = nil, _ work: (Reporter) -> Void
    ) -> (lines: [[UInt8]], Ending) {
        Self.reapLeftBehind()
        do throws(SystemError) {
            let lock = try openLock()
            guard try takeLock(lock, until: deadline) else { return ([], .stillHangs) }
            var (reader, writer): (FileHandle, FileHandle?) = try makePipe()
            guard let end = writer?.descriptor, fcntl(reader.descriptor, F_SETFL, O_NONBLOCK) == 0 else {
                throw SystemError("fcntl")
            }
            let kept = [lock?.descriptor, end, descriptor].compactMap(\.self).sorted()
            let pid = shim_fork(kept, Int32(kept.count))
            guard pid >= 0 else { throw SystemError("fork") }
            if pid == 0 {
                if let writer { work(Reporter(writer: writer)) }
                _exit(0)
            }
            // Close the parent's copy of the write end, so that the child's exit reads as end of file.
            writer = nil
            return collect(reader, from: pid, until: deadline, lock)
        } catch {
            return ([], .failed("\(error.call): \(error)"))
        }
    }

    /// Reaps the children that were left behind and have since ended.
    package static func reapLeftBehind() { leftBehind.withLock { $0.removeAll { waitpid($0, nil, WNOHANG) != 0 } } }

    private func openLock() throws(SystemError) -> FileHandle? {
        guard let lockPath else { return nil }
        do throws(SystemError) {
            return try openFile(lockPath, O_RDWR | O_CREAT)
        } catch  where [ENOENT, ENOTDIR, EACCES, EROFS].contains(error.number) {
            // Without a state directory no child was ever left behind; an unusable one is reported elsewhere.
            return nil
        }
    }

    /// Takes the lock, if there is one. Returns false where a child that was left behind holds it, or where another
    /// child holds it until the deadline or a stop request.
    private func takeLock(_ lock: FileHandle?, until deadline: Deadline) throws(SystemError) -> Bool {
        guard let lock else { return true }
        while retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0 {
            guard errno == EWOULDBLOCK else { throw SystemError("flock") }
            if try lock.status().st_size > 0 || deadline.hasPassed || stop.isMade { return false }
            sleep(.milliseconds(20), until: deadline)
        }
        if try lock.status().st_size > 0 { ftruncate(lock.descriptor, 0) }
        return true
    }

    private func collect(
        _ reader: FileHandle, from pid: pid_t, until deadline: Deadline, _ lock: FileHandle?
    ) -> (lines: [[UInt8]], Ending) {
        var deadline = deadline
        var (bytes, isOpen, isAsked) = ([UInt8](), true, false)
        while isOpen, !deadline.hasPassed {
            var waiting = pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0)
            Glibc.poll(&waiting, 1, Int32(clamping: min(200, deadline.millisecondsLeft)))
            if !isAsked, stop.isMade { (isAsked, deadline) = (true, deadline.sooner(Self.grace)) }
            guard waiting.revents != 0 else { continue }
            let more = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                let got = retrying { read(reader.descriptor, buffer.baseAddress, buffer.count) }
                isOpen = got > 0 || (got < 0 && errno == EAGAIN)
                count = max(0, got)
            }
            bytes += more
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
        if isOpen {
            kill(pid, SIGKILL)
            // A child that is not blocked in the kernel dies at once.
            sleep(.milliseconds(20), until: .after(.milliseconds(20)))
            if waitpid(pid, nil, WNOHANG) == 0 {
                Self.leftBehind.withLock { $0.append(pid) }
                if let lock { ftruncate(lock.descriptor, 1) }
            }
            return (lines, .givenUp)
        }
        var status: Int32 = 0
        retrying { waitpid(pid, &status, 0) }
        return (lines, status == 0 ? .finished : .failed("it died with status \(status)"))
    }
}
