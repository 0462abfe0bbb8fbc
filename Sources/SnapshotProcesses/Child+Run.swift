import Glibc
import SnapshotBase

/// The result of `Child.run`.
package struct ChildResult: Sendable {
    /// How the program ended by itself; nil if it was stopped.
    package var ending: Child.Ending?
    package var output: [UInt8]
    /// The end of the program's standard error, unredacted: use `lastWords` to show it.
    package var stderrTail: [UInt8]
    package var isTimedOut = false
    package var isTooLong = false

    package init(output: [UInt8], stderrTail: [UInt8]) {
        self.output = output
        self.stderrTail = stderrTail
    }
}

extension Child {
    /// Runs a program to its end, and keeps its standard output and the end of its standard error. The process group is
    /// killed when the program has ended, even if another process holds its output; at the deadline; when the output
    /// exceeds its limit; and when this program receives a termination signal.
    /// - Parameters:
    ///   - outputLimit: the maximum size of the output, in bytes.
    ///   - stderrLimit: how much of the end of standard error is kept, in bytes.
    ///   - grace: how long a program that has not ended by itself may take to end after SIGTERM.
    ///   - stop: another request to stop, for callers that have blocked the termination signals themselves.
    /// - Throws: `Failure` if the program cannot be started, or its output cannot be read.
    package static func run(
        _ command: Command, outputLimit: Int, stderrLimit: Int = 4096, deadline: Deadline, grace: Duration = .zero,
        stop: StopRequest? = nil
    ) throws(Failure) -> ChildResult {
        let signals = BlockedSignals()
        signals.block()
        defer { signals.release() }
        let arrival = signals.arrival()
        let child = try Child(command, until: deadline, or: arrival)
        var result = ChildResult(output: [], stderrTail: [])
        var isAsked = false
        while child.poll() == nil, !deadline.hasPassed, !result.isTooLong, !isAsked {
            isAsked = child.waitForEvent(stop == nil ? deadline : deadline.sooner(.milliseconds(200)), or: arrival)
            if let stop, stop.isMade { isAsked = true }
            child.collect(&result, outputLimit, stderrLimit)
        }
        // Read the rest of an ended program's output, with a bound: other processes may still write to its pipes.
        for _ in 0..<8 where child.ending != nil && !child.outputs.isEmpty && !result.isTooLong {
            child.collect(&result, outputLimit, stderrLimit)
        }
        if let error = child.unread { throw .notStarted(command, error) }
        result.ending = result.isTooLong ? nil : child.ending
        result.isTimedOut = child.ending == nil && !result.isTooLong && !isAsked
        child.stop(grace: grace)
        return result
    }

    /// Waits for output, the end of the child, a signal, or the deadline.
    /// - Returns: whether `arrival` became readable.
    private func waitForEvent(_ deadline: Deadline, or arrival: FileHandle?) -> Bool {
        let descriptors = [arrival?.descriptor ?? -1, endDescriptor ?? -1] + outputs.values.map(\.descriptor)
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let pause = endDescriptor == nil ? 50 : deadline.millisecondsLeft
        Glibc.poll(&waiting, nfds_t(waiting.count), Int32(clamping: min(pause, deadline.millisecondsLeft)))
        return waiting[0].revents != 0
    }

    private func collect(_ result: inout ChildResult, _ outputLimit: Int, _ stderrLimit: Int) {
        readOutput(1) { result.output += $0 }
        readOutput(2) {
            result.stderrTail += $0
            result.stderrTail.removeFirst(max(0, result.stderrTail.count - stderrLimit))
        }
        result.isTooLong = result.output.count > outputLimit
    }

    /// Passes what the child has written to `descriptor` to `take`, and closes the descriptor at end of file. Reads at
    /// most 256 KiB, so that one busy output does not delay the others.
    package func readOutput(_ descriptor: Int32, _ take: (ArraySlice<UInt8>) -> Void) {
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
                if count < 0 { unread = SystemError("read", number: error) }
                return close(descriptor)
            }
            if count < 65536 { return }
        }
    }
}
