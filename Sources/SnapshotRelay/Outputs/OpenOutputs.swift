import Glibc
import SnapshotBase
import SnapshotMedia

/// All outputs of a relay, in use.
package final class OpenOutputs {
    package let troubles = OutputTroubles()
    private let outputs: [any OpenOutput]
    private let lock: FileHandle?

    package init(_ plan: RelayPlan, log: Log) throws(Failure) {
        lock = plan.outputs.contains(where: \.usesOutputDirectory) ? try plan.shared.lockDirectory() : nil
        var outputs: [any OpenOutput] = []
        for output in plan.outputs {
            outputs.append(try output.open(troubles.health(of: output.mode), log: log))
        }
        self.outputs = outputs
    }

    package func begin(_ facts: StreamFacts) -> [FFmpegSlave] { outputs.map { $0.begin(facts) } }

    package func started(_ ffmpeg: pid_t?) { for output in outputs { output.started(ffmpeg) } }

    /// - Returns: whether ffmpeg has to begin anew for one of them.
    package func flowed(now: Uptime) -> Bool {
        outputs.reduce(false) { needsAnew, output in output.flowed(now: now) || needsAnew }
    }

    package func take(_ bytes: ArraySlice<UInt8>, now: Uptime) {
        for output in outputs { output.take(bytes, now: now) }
    }

    package func ended(now: Uptime) { for output in outputs { output.ended(now: now) } }

    package var wake: Uptime? { outputs.compactMap(\.wake).min() }

    package func tick(now: Uptime) {
        for output in outputs where output.wake.map({ now >= $0 }) ?? false { output.tick(now: now) }
    }

    package func stop() { for output in outputs { output.stop() } }
}
