import Glibc

/// What a process finds around it: its environment, this computer's clocks, and whether it is asked to end. Made in
/// `main` and handed down; nothing else asks the process. A test makes its own.
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

    /// This process's own.
    package static func current() -> ProcessContext { ProcessContext(environment: currentEnvironment()) }

    /// Whether the descriptor is systemd's journal, as `JOURNAL_STREAM` tells.
    package func goesToJournal(_ descriptor: Int32) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return false }
        return stream == "\(facts.st_dev):\(facts.st_ino)"
    }
}

package typealias Environment = Named<String>

/// The environment, where of equal names the first counts, as for getenv.
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

/// The wall clock, the time since boot, and the boot's name.
package struct SystemClock: Sendable {
    /// The kernel's name for this boot, e.g. `3f1c…`; empty where there is none.
    package let boot: String
    package let wall: @Sendable () -> Timestamp
    package let up: @Sendable () -> Uptime

    package init(
        boot: String, wall: @escaping @Sendable () -> Timestamp = { .now() },
        up: @escaping @Sendable () -> Uptime = { .now() }
    ) {
        self.boot = boot
        self.wall = wall
        self.up = up
    }

    /// What SNAPSHOT_BOOT_ID says comes first: our units set it, since in a container a confined service sees another one.
    package init(_ environment: Environment) {
        let told = (environment["SNAPSHOT_BOOT_ID"] ?? "").filter(\.isHexDigit)
        self.init(boot: told.utf8.count == 32 ? Self.dashed(told) : Self.kernelsBoot())
    }

    /// systemd writes it without the kernel's dashes.
    private static func dashed(_ id: String) -> String {
        let digits = Array(id)
        return [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]].map { String($0) }
            .joined(separator: "-")
    }

    private static func kernelsBoot() -> String {
        let text = (try? readFile("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
        return String(decoding: text, as: UTF8.self).filter { $0.isHexDigit || $0 == "-" }
    }
}

/// Whether the process has been asked to end and goes on for now, since it holds such signals (`HeldSignals`).
package struct StopRequest: Sendable {
    private let ask: @Sendable () -> Bool

    package init(_ ask: @escaping @Sendable () -> Bool) { self.ask = ask }

    package var isMade: Bool { ask() }

    package static let never = StopRequest { false }

    package static let bySignal = StopRequest {
        var waiting = sigset_t()
        guard sigpending(&waiting) == 0 else { return false }
        return HeldSignals.asking.contains { sigismember(&waiting, $0) == 1 }
    }
}
