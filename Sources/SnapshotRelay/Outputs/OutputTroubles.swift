import Synchronization

/// Which outputs don't work at the moment, and why: told by threads, read by the relay.
package final class OutputTroubles: Sendable {
    private let troubles = Mutex<[String: OutputTrouble]>([:])

    package init() {}

    /// By the output's mode. A copy with storage of its own: ThreadSanitizer doesn't see that a thread changes shared storage
    /// only when the other has let go of it.
    package var all: [String: OutputTrouble] {
        troubles.withLock { Dictionary(uniqueKeysWithValues: $0.map { ($0.key, $0.value) }) }
    }

    fileprivate func set(_ mode: String, _ trouble: OutputTrouble?) { troubles.withLock { $0[mode] = trouble } }

    package func health(of mode: String) -> OutputHealth { OutputHealth(troubles: self, mode: mode) }
}

/// Takes how one output is; from any thread.
package struct OutputHealth: Sendable {
    fileprivate let troubles: OutputTroubles
    fileprivate let mode: String

    package func works() { troubles.set(mode, nil) }
    /// - Parameter words: instead of the trouble's own.
    package func fails(_ trouble: some TroubleCode, _ words: String? = nil) {
        troubles.set(mode, OutputTrouble(trouble, words))
    }
}
