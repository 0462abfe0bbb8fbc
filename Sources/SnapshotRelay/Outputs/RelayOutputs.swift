import SnapshotBase
import SnapshotSettings

/// All kinds of outputs, in the order of messages and help.
package enum RelayOutputs {
    package static let all: [any RelayOutput.Type] = [
        PushOutput.self, HLSOutput.self, RecordOutput.self, PipeOutput.self,
    ]

    /// `republish (RTSP push to OUTPUT_RTSP_URL), hls (…) and …`, for the command's help.
    package static var help: String { list(all.map { "\($0.mode) (\($0.summary))" }, "and") }

    /// The outputs that STREAM_MODE names, each once, in the order of `kinds`.
    static func read(
        _ settings: Settings, _ shared: SharedOutputSettings, kinds: [any RelayOutput.Type]
    ) throws(Failure) -> [any RelayOutput] {
        let wanted = try modes(settings, kinds.map { $0.mode })
        var outputs: [any RelayOutput] = []
        for kind in kinds {
            try kind.check(settings)
            if wanted.contains(kind.mode) { outputs.append(try kind.init(settings, shared)) }
        }
        return outputs
    }

    private static func modes(_ settings: Settings, _ known: [String]) throws(Failure) -> [String] {
        guard let text = try settings[Key.streamMode] else {
            throw .settings(
                "STREAM_MODE is not set", why: "the relay needs to know what to do with the video",
                hint: "set STREAM_MODE=hls, or several of \(list(known, "and")) with commas between")
        }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed.lowercased() }
        guard names.allSatisfy(known.contains) else {
            throw settings.refusal(
                Key.streamMode, rule: "must be \(list(known, "or")), or several with commas between")
        }
        return names
    }

    private static func list(_ names: [String], _ word: String) -> String {
        guard let last = names.last, names.count > 1 else { return names.joined() }
        return names.dropLast().joined(separator: ", ") + " \(word) \(last)"
    }
}
