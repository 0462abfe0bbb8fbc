import Synchronization

/// Which outputs don't work at the moment, and why: told by threads, read by the relay.
package final class OutputTroubles: Sendable {
    private let codes = Mutex<[RelayPlan.Mode: String]>([:])

    /// - Parameter code: short and stable, e.g. `push-unreachable`; nil when it works again.
    package func set(_ mode: RelayPlan.Mode, _ code: String?) { codes.withLock { $0[mode] = code } }

    package var all: [RelayPlan.Mode: String] { codes.withLock { $0 } }
}
