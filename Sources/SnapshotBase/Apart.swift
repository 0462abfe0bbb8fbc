import CLinux
import Glibc
import Synchronization

extension FileHandle {
    /// A file that is in memory alone and has no name: a copy of this process can fill it.
    package static func inMemory() throws(SystemError) -> FileHandle {
        let descriptor = shim_memory_file()
        guard descriptor >= 0 else { throw SystemError("memfd_create") }
        return FileHandle(owning: descriptor)
    }
}

/// Work that may hang for ever, such as writing into a folder whose server is gone: the kernel then holds the process,
/// even against SIGKILL. It is done in a copy of this process, which can be left behind.
///
/// A lock keeps such copies to one: nobody begins another while one hangs.
package struct Apart: Sendable {
    package enum Ending: Equatable, Sendable {
        /// It has said all that it had to.
        case finished
        /// The deadline has passed, or somebody asked this program to end: what hangs is left behind.
        case leftBehind
        /// One that was left behind earlier still hangs.
        case stillHangs
        /// It died, or could not be started.
        case failed(String)
    }

    /// By which a copy tells what has come of its work.
    package struct Reporter {
        fileprivate let writer: FileHandle

        package func say(_ line: [UInt8]) { try? writer.write(line + [UInt8(ascii: "\n")]) }
    }

    /// The lock; it is made if it is missing.
    private let lockPath: String
    /// Those who were left behind and haven't ended yet; once they have, they are zombies to be reaped.
    private static let left = Mutex<[pid_t]>([])
    /// How long a copy may go on after this program was asked to end.
    private static let grace = Duration.seconds(2)

    private let stop: StopRequest

    package init(lock: String, stop: StopRequest) { (lockPath, self.stop) = (lock, stop) }

    /// - Parameters:
    ///   - keeping: a descriptor that the work needs; all others are closed to it.
    ///   - work: runs in the copy. What it says arrives here line by line, whatever follows.
    /// - Returns: what was said, and how it ended.
    package func run(
        until deadline: Deadline, keeping descriptor: Int32? = nil, _ work: (Reporter) -> Void
    ) -> (said: [[UInt8]], Ending) {
        Self.left.withLock { $0.removeAll { waitpid($0, nil, WNOHANG) != 0 } }
        do throws(SystemError) {
            guard let lock = try hold(until: deadline.sooner(.seconds(1))) else { return ([], .stillHangs) }
            var (reader, writer): (FileHandle, FileHandle?) = try makePipe()
            guard let end = writer?.descriptor, fcntl(reader.descriptor, F_SETFL, O_NONBLOCK) == 0 else {
                throw SystemError("fcntl")
            }
            let kept = ([lock.descriptor, end] + [descriptor].compactMap(\.self)).sorted()
            let pid = shim_fork(kept, Int32(kept.count))
            guard pid >= 0 else { throw SystemError("fork") }
            if pid == 0 {
                if let writer { work(Reporter(writer: writer)) }
                _exit(0)
            }
            // Only the copy's end is left, so that its exit is seen.
            writer = nil
            return withExtendedLifetime(lock) { hear(reader, from: pid, until: deadline) }
        } catch {
            return ([], .failed("\(error.call): \(error)"))
        }
    }

    /// nil while another holds it.
    private func hold(until deadline: Deadline) throws(SystemError) -> FileHandle? {
        let lock: FileHandle
        do throws(SystemError) {
            lock = try openFile(lockPath, O_RDONLY | O_CREAT)
        } catch  where [ENOENT, ENOTDIR, EACCES].contains(error.number) {
            // Without a state nothing was ever left behind, and a state that can't be used is told elsewhere.
            return try FileHandle(opening: "/dev/null", O_RDONLY)
        }
        while retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0 {
            guard errno == EWOULDBLOCK else { throw SystemError("flock") }
            if deadline.hasPassed { return nil }
            sleep(.milliseconds(20), until: deadline)
        }
        return lock
    }

    private func hear(
        _ reader: FileHandle, from pid: pid_t, until deadline: Deadline
    ) -> (said: [[UInt8]], Ending) {
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
        let said = bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
        if isOpen {
            kill(pid, SIGKILL)
            // What isn't stuck is gone at once.
            sleep(.milliseconds(20), until: .after(.milliseconds(20)))
            if waitpid(pid, nil, WNOHANG) == 0 { Self.left.withLock { $0.append(pid) } }
            return (said, .leftBehind)
        }
        var status: Int32 = 0
        retrying { waitpid(pid, &status, 0) }
        return (said, status == 0 ? .finished : .failed("it died with status \(status)"))
    }
}
