import SnapshotState
import Synchronization

/// Which outputs don't work at the moment, and why. Any thread may report; the relay reads.
package final class OutputStates: Sendable {
    private let byMode = Mutex<[String: OutputTrouble]>([:])
    /// The temporary credentials of uploads, if any.
    package let credentials = Mutex<CredentialsStatus?>(nil)

    package init() {}

    /// By the output's mode. A deep copy: with shared storage ThreadSanitizer would report a race that isn't one.
    package var troubles: [String: OutputTrouble] {
        byMode.withLock { Dictionary(uniqueKeysWithValues: $0.map { ($0.key, $0.value) }) }
    }

    fileprivate func set(_ mode: String, _ trouble: OutputTrouble?) { byMode.withLock { $0[mode] = trouble } }

    package func reporter(of mode: String) -> OutputReporter { OutputReporter(states: self, mode: mode) }
}

/// Reports whether one output works; usable from any thread.
package struct OutputReporter: Sendable {
    fileprivate let states: OutputStates
    fileprivate let mode: String

    /// Records the temporary credentials that the output's uploads use; nil where they use none.
    package func uses(_ credentials: CredentialsStatus?) { states.credentials.withLock { $0 = credentials } }
    /// Clears the output's trouble.
    package func works() { states.set(mode, nil) }
    /// - Parameter words: replaces the trouble's own words.
    package func fails(_ trouble: some TroubleCode, _ words: String? = nil) {
        states.set(mode, OutputTrouble(trouble, words))
    }
}
