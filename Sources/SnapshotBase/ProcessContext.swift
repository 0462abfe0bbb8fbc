import Glibc

/// The surroundings of a process: its environment, the system's clocks, and whether it should stop. `main` creates it,
/// as the shell completion of `snapshot forget` does, and passes it down: no other code reads the environment. Tests
/// create their own.
package struct ProcessContext: Sendable {
    package var environment: Environment
    package var clock: SystemClock
    package var stop: StopRequest

    package init(
        environment: Environment = [:], clock: SystemClock? = nil, stop: StopRequest = .bySignal
    ) {
        self.environment = environment
        self.clock = clock ?? SystemClock(environment)
        self.stop = stop
    }

    /// The context of this process.
    package static func current() -> ProcessContext { ProcessContext(environment: currentEnvironment()) }

    /// Whether the descriptor is connected to systemd's journal, according to `JOURNAL_STREAM`.
    package func goesToJournal(_ descriptor: Int32) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}

package typealias Environment = NamedValues<String>

/// The process's environment; of duplicate names the first counts, as in getenv.
private func currentEnvironment() -> Environment {
    var values = Environment()
    var entry = environ
    while let text = entry.pointee {
        if let equals = strchr(text, Int32(UInt8(ascii: "="))) {
            let name = String(decoding: UnsafeRawBufferPointer(start: text, count: equals - text), as: UTF8.self)
            if values[name] == nil { values.append(name, String(cString: equals + 1)) }
        }
        entry += 1
    }
    return values
}

/// The wall clock, the time since boot, and the boot id.
package struct SystemClock: Sendable {
    /// The boot id, e.g. `3f1c…`; empty if it is unknown.
    package let boot: String
    package let wall: @Sendable () -> Timestamp
    package let up: @Sendable () -> Uptime
    package let sleep: @Sendable (Duration) -> Void

    package init(
        boot: String, wall: @escaping @Sendable () -> Timestamp = { .now() },
        up: @escaping @Sendable () -> Uptime = { .now() },
        sleep: @escaping @Sendable (Duration) -> Void = { SnapshotBase.sleep($0, until: .after($0)) }
    ) {
        self.boot = boot
        self.wall = wall
        self.up = up
        self.sleep = sleep
    }

    package func stopwatch() -> Stopwatch { Stopwatch(self) }

    /// `SNAPSHOT_BOOT_ID` takes precedence: our units set it, since a confined service in a container sees another id.
    package init(_ environment: Environment) {
        let given = (environment["SNAPSHOT_BOOT_ID"] ?? "").filter(\.isHexDigit)
        self.init(boot: given.utf8.count == 32 ? Self.dashed(given) : Self.kernelsBoot())
    }

    /// Inserts the kernel's dashes, which systemd omits.
    private static func dashed(_ id: String) -> String {
        let digits = Array(id)
        return [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]].map { String($0) }
            .joined(separator: "-")
    }

    private static func kernelsBoot() -> String {
        let text = (try? readFile("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
        return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}

/// Whether a termination signal is pending while `BlockedSignals` blocks it, or a caller's own condition holds.
package struct StopRequest: Sendable {
    private let ask: @Sendable () -> Bool

    package init(_ ask: @escaping @Sendable () -> Bool) { self.ask = ask }

    package var isMade: Bool { ask() }

    package static let never = StopRequest { false }

    package static let bySignal = StopRequest {
        var waiting = sigset_t()
        guard sigpending(&waiting) == 0 else { return false }
        return BlockedSignals.terminationSignals.contains { sigismember(&waiting, $0) == 1 }
    }
}
