import SnapshotBase

/// The health of the relay, judged from its last report.
extension RelayReport {
    /// Whether video flows to this output.
    package func isUp(_ output: String) -> Bool { state == "running" && failing?[output] == nil }

    /// Since when no output has had video; nil while one has.
    private var downSince: Moment? {
        guard state == "running" else { return idleSince ?? (state == "silent" ? updated : nil) }
        guard !modes.isEmpty, !modes.contains(where: isUp) else { return nil }
        // The outputs may have failed one after the other: the last failure counts.
        let moments = modes.compactMap { failingSince?[$0] }
        return moments.max { ($0.up ?? 0, $0.at) < ($1.up ?? 0, $1.at) } ?? flowingSince
    }

    /// - Parameter isAlone: whether there are no captures, so that a stopped relay is a problem.
    func reasons(now: Now, isAlone: Bool) -> [Health.Reason] {
        if state == "stopped", !isAlone { return [] }
        if state == "running", modes.contains(where: isUp) {
            return modes.allSatisfy(isUp) ? [] : [.relayOutput]
        }
        let limit = (stallTimeout ?? 20) + 60
        let isLong = downSince.map { now.age(of: $0, recordBoot: boot) > limit } ?? false
        return [isLong ? .relayDown : .relayInterrupted]
    }

    /// What is wrong, as a sentence without its full stop.
    func sentence(_ reason: Health.Reason, now: Now) -> String {
        let troubles = (failing ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key.printable(limit: 16)) (\($0.value.printable(limit: 64)))" }
        if reason == .relayOutput { return "the relay's video doesn't reach \(troubles.joined(separator: ", "))" }
        let begun = downSince.flatMap { Timestamp(iso8601: $0.at) }.map { " since \($0.clock(asOf: now.wall))" } ?? ""
        let why =
            switch state {
            case "running": troubles.joined(separator: ", ")
            case "silent": "the relay has reported nothing"
            case "stopped": "the relay is stopped"
            default: lastError?.printable(limit: 64) ?? "the relay is \(state.printable(limit: 32))"
            }
        return "no video has flowed\(begun) (\(why))"
    }

    /// Which outputs the video reaches, in words.
    func flow(now: Now) -> String {
        let age = flowingSince.map { " for \(inWords(Int(min(now.age(of: $0, recordBoot: boot), 1e12))))" } ?? ""
        return "video flows to \(modes.map { $0.printable(limit: 16) }.joined(separator: ", "))\(age)"
    }
}

/// Whether systemd is configured to take pictures into this state, so that missing ones are a problem.
func hasCaptureTimer(statePath: String, instance: String) -> Bool {
    isEnabled(instance.isEmpty ? "snapshot.timer" : "snapshot@\(instance).timer", "timers", of: statePath)
}
