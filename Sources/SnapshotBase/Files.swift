import CLinux
import Glibc

/// A system call that failed: its name and its `errno`.
package struct SystemError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let call: String
    package let number: Int32

    package init(_ call: String, number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    package var description: String {
        switch number {
        // `Folder` opens with O_NOFOLLOW, which fails with ELOOP at a symbolic link.
        case ELOOP: "it is a symbolic link, which isn't followed"
        case ETIME: "its folder hangs"
        default: String(cString: strerror(number))
        }
    }

    package var debugDescription: String { "\(call) failed with error \(number), \(self)" }
}

/// Owns an open file descriptor and closes it.
package final class FileHandle: Sendable {
    package let descriptor: Int32

    package init(owning descriptor: Int32) { self.descriptor = descriptor }

    /// Opens `path`, close-on-exec and non-blocking, so that opening a FIFO does not wait for its other end.
    package convenience init(opening path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) {
        let descriptor = retrying { open(path, flags | O_CLOEXEC | O_NONBLOCK, mode) }
        guard descriptor >= 0 else { throw SystemError("open") }
        self.init(owning: descriptor)
    }

    deinit { close(descriptor) }

    /// Writes all of `bytes` at the file's position.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let written = retrying {
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            guard written > 0 else { throw SystemError("write", number: written == 0 ? ENOSPC : errno) }
            offset += written
        }
    }

    package func write(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Makes the file's content durable (fsync).
    package func sync() throws(SystemError) {
        guard retrying({ fsync(descriptor) }) == 0 else { throw SystemError("fsync") }
    }

    /// The file's size, mode, owner and so on, from `fstat`.
    package func status() throws(SystemError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SystemError("fstat") }
        return status
    }

    /// Reads from the current position to the end of the file, or until `limit` bytes are read.
    package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        let size = max(0, Int(try status().st_size))
        var bytes: [UInt8] = []
        var failed: SystemError?
        var chunk = min(limit, max(size, 4096))
        while bytes.count < limit, chunk > 0 {
            let more = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
                let got = retrying { read(descriptor, buffer.baseAddress, chunk) }
                if got < 0 { failed = SystemError("read") }
                count = max(0, got)
            }
            if let failed { throw failed }
            if more.isEmpty { break }
            if bytes.isEmpty { bytes = more } else { bytes += more }
            chunk = min(bytes.count, limit - bytes.count)
        }
        return bytes
    }
}

/// Repeats a system call that was interrupted by a signal.
@discardableResult
package func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

package func parentDirectory(_ path: String) -> String {
    guard let (parent, _) = path[...].cutAtLast("/") else { return "." }
    return parent.isEmpty ? "/" : String(parent)
}

package func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

/// Whether a path lies on a file system in RAM.
package func isInRAM(_ path: String) -> Bool { shim_is_in_ram(path) }

/// The bytes that an unprivileged user may still write to the file system of `path`; nil if that is unknown.
package func freeBytes(_ path: String) -> Int? {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return nil }
    return Int(clamping: facts.f_bavail).times(Int(clamping: facts.f_frsize))
}

/// Creates a pipe whose ends are close-on-exec.
package func makePipe() throws(SystemError) -> (reader: FileHandle, writer: FileHandle) {
    var ends: [Int32] = [-1, -1]
    guard shim_pipe(&ends) == 0 else { throw SystemError("pipe") }
    return (FileHandle(owning: ends[0]), FileHandle(owning: ends[1]))
}
