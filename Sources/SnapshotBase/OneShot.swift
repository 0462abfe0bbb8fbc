import Glibc

/// What a program that ran to its end, or was ended, left.
package struct ChildResult: Sendable {
    /// How it ended; nil where it was killed for passing its deadline or its output's limit.
    package var ending: Child.Ending?
    package var output: [UInt8]
    /// The last of what it said on standard error, as it said it: redact before showing.
    package var complaint: [UInt8]
    package var isTimedOut = false
    package var isTooLong = false
}

extension Child {
    /// Runs a program to its end, keeping at most `outputLimit` bytes of its output and the last `complaintLimit` of
    /// what it says on standard error. At the deadline, and when the output passes its limit, its group is killed.
    package static func run(
        _ command: Command, outputLimit: Int, complaintLimit: Int = 4096, deadline: Deadline
    ) throws(Failure) -> ChildResult {
        let child = try Child(command)
        var result = ChildResult(output: [], complaint: [])
        while !deadline.hasPassed, !result.isTooLong {
            var waiting = child.outputs.map { pollfd(fd: $1.descriptor, events: Int16(POLLIN), revents: 0) }
            if waiting.isEmpty { break }
            Glibc.poll(&waiting, nfds_t(waiting.count), Int32(clamping: deadline.millisecondsLeft))
            child.drain(1) { result.output += $0 }
            child.drain(2) {
                result.complaint += $0
                result.complaint.removeFirst(max(0, result.complaint.count - complaintLimit))
            }
            result.isTooLong = result.output.count > outputLimit
        }
        if !result.isTooLong { result.ending = child.wait(until: deadline) }
        result.isTimedOut = result.ending == nil && !result.isTooLong
        return result
    }

    /// Hands over what the child has written to `descriptor` and forgets the descriptor at its end. Returns after at
    /// most 256 KiB, so that one loud output can't keep the others waiting.
    package func drain(_ descriptor: Int32, _ take: (ArraySlice<UInt8>) -> Void) {
        guard let handle = outputs[descriptor] else { return }
        for _ in 0..<4 {
            var count = 0
            var error: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, filled in
                count = retrying { read(handle.descriptor, buffer.baseAddress, buffer.count) }
                error = errno
                filled = max(0, count)
            }
            if count > 0 {
                take(bytes[...])
            } else if count == 0 || error != EAGAIN {
                return close(descriptor)
            }
            if count < 65536 { return }
        }
    }
}
