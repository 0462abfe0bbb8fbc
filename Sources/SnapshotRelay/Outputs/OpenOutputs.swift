import Glibc
import SnapshotBase
import SnapshotMedia

/// All outputs of a relay, in use.
package final class OpenOutputs {
    package let troubles = OutputTroubles()
    private let outputs: [any OpenOutput]

    package init(_ plan: RelayPlan, log: Log) throws(Failure) {
        var outputs: [any OpenOutput] = []
        for output in plan.outputs {
            outputs.append(try output.open(troubles.health(of: output.mode), log: log))
        }
        self.outputs = outputs
    }

    package func begin(_ facts: StreamFacts) -> [FFmpegSlave] {
        let slaves = outputs.compactMap { $0.begin(facts) }
        // Where no output takes it, video is thrown away: the camera is known to work, and one that comes back is told.
        return slaves.isEmpty ? [FFmpegSlave("null", to: .address("-"))] : slaves
    }

    /// Whether the disk of one of them is full.
    var isFull: Bool { outputs.contains { $0.isFull } }

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
