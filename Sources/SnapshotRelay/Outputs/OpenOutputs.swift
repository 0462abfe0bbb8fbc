import Glibc
import SnapshotBase
import SnapshotMedia

/// All open outputs of a relay.
package final class OpenOutputs {
    package let states = OutputStates()
    private let plan: RelayPlan
    private let outputs: [any OpenOutput]
    /// The outputs that can carry the video of the present run of ffmpeg, or of the last one.
    private var carrying: [any OpenOutput] = []

    package init(_ plan: RelayPlan, log: Log) throws(Failure) {
        self.plan = plan
        var outputs: [any OpenOutput] = []
        for output in plan.outputs {
            outputs.append(try output.open(states.reporter(of: output.mode), log: log))
        }
        self.outputs = outputs
    }

    /// A run of ffmpeg is about to begin, for the outputs that can carry the video.
    /// - Returns: their slaves; empty where no output can carry it.
    package func begin(_ facts: StreamFacts) -> [FFmpegSlave] {
        carrying = zip(plan.outputs, outputs).compactMap { output, open in
            let reporter = states.reporter(of: output.mode)
            guard output.carries(facts.video) else {
                reporter.fails(CodecTrouble.uncarried)
                return nil
            }
            if states.troubles[output.mode] == OutputTrouble(CodecTrouble.uncarried) { reporter.works() }
            return open
        }
        let slaves = carrying.compactMap { $0.begin(facts) }
        // While no output can be written, ffmpeg discards the video: the camera stays supervised, and an output that
        // recovers can request a restart.
        return slaves.isEmpty && !carrying.isEmpty ? [FFmpegSlave("null", to: .address("-"))] : slaves
    }

    /// Whether the disk of any output in the present run is full.
    var isFull: Bool { carrying.contains { $0.isFull } }

    package func started(_ ffmpeg: pid_t?) { for output in carrying { output.started(ffmpeg) } }

    /// - Returns: whether ffmpeg must be restarted for any output.
    package func flowed(now: Uptime, media: Duration?) -> Bool {
        carrying.reduce(false) { needsRestart, output in output.flowed(now: now, media: media) || needsRestart }
    }

    package func receive(_ bytes: ArraySlice<UInt8>, now: Uptime) {
        for output in carrying { output.receive(bytes, now: now) }
    }

    package func ended(now: Uptime) { for output in carrying { output.ended(now: now) } }

    package var wake: Uptime? { outputs.compactMap(\.wake).min() }

    package func tick(now: Uptime) {
        for output in outputs where output.wake.map({ now >= $0 }) ?? false { output.tick(now: now) }
    }

    package func stop() {
        for output in outputs { output.stop() }
        plan.shared.outputDirectory.release()
    }
}
