import SnapshotBase

extension HealthReport {
    /// Text for users, one paragraph for each camera.
    /// - Parameters:
    ///   - colour: whether to use ANSI colours, for terminals only.
    ///   - latencies: whether to add a line with a chart of the last runs' latencies, for terminals with Unicode
    ///     fonts.
    package func text(colour: Bool, latencies: Bool = false) -> TerminalText {
        let cameras = cameras.entries.map { key, health in
            var text = health.text(name: name(key, health), colour: colour)
            guard latencies else { return text }
            let path = key.isEmpty ? statePath : statePath + "/" + key
            if let line = latencyLine(StateRing(reading: path, all: true).history) { text += "\(line)\n" }
            return text
        }
        return TerminalText(joining: cameras, with: "\n")
    }

    /// The output line and the exit code of a Nagios plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. With several
    /// cameras it names all that aren't healthy, and the performance data is that of the worst.
    package func nagios() -> (line: String, code: Int32) {
        let health = worst
        let (word, code): (String, Int32) =
            switch health.status {
            case _ where health.reasons == [.stateUnreadable]: ("UNKNOWN", 3)
            case .healthy: ("OK", 0)
            case .degraded: ("WARNING", 1)
            case .unhealthy: ("CRITICAL", 2)
            }
        let age = health.ageSeconds.map { "age=\($0)s;\(Int(3 * health.intervalSeconds));; " } ?? ""
        return (
            "SNAPSHOT \(word) - \(Self.pluginText(summary))|\(age)captures=\(health.totalCaptures)c "
                + "uploads=\(health.totalUploads)c spool=\(health.spool.count)", code
        )
    }

    /// The plugin's line if the health cannot be determined.
    package static func nagios(unknown why: String) -> String { "SNAPSHOT UNKNOWN - \(pluginText(why))" }

    /// Text without line breaks and without `|`, which begins the performance data.
    private static func pluginText(_ text: String) -> String {
        text.printable(limit: 1000).replacing("|", with: "/")
    }

    private var summary: String {
        guard cameras.entries.count > 1 else { return worst.summary }
        let unwell = cameras.entries.filter { $0.value.status != .healthy }
            .sorted { ($1.value.status, $0.name) < ($0.value.status, $1.name) }
        guard !unwell.isEmpty else { return "\(cameras.entries.count) cameras, \(worst.summary)" }
        return unwell.map { "\($0.isEmpty ? $1.camera : $0): \($1.summary)" }.joined(separator: "; ")
    }
}

extension Health {
    /// The status and its reasons in one sentence without a full stop.
    package var summary: String {
        guard reasons.isEmpty else {
            // That no picture was ever captured comes first, then why.
            let first = reasons.filter { $0 == .neverCaptured }
            let others = reasons.filter { $0 != .neverCaptured && !(cause?.explained.contains($0) ?? false) }
            return (first.map(sentence) + [cause?.text].compactMap(\.self) + others.map(sentence)).joined(
                separator: ", ")
        }
        if isRelayAlone { return flow ?? "the relay is stopped" }
        return "last picture stored \(ageSeconds.map(inWords) ?? "?") ago"
    }

    package func sentence(_ reason: Reason) -> String {
        switch reason {
        case .neverCaptured: "no picture has been captured yet"
        case .noCapture: "no picture captured for over \(inWords(Int(10 * intervalSeconds)))"
        case .cameraCredentials: "the camera refuses user or password"
        case .storeCredentials: "the store refuses the credentials"
        case .stateUnreadable: "the state file can't be read"
        case .stale:
            ageSeconds.map { "last picture stored \(inWords($0)) ago" } ?? "no picture has been stored yet"
        case .spooling: "\(counted(spool.count, "picture")) \(spool.count == 1 ? "waits" : "wait") in the spool"
        case .frozen: "the picture is frozen"
        case .covered: "the picture has far fewer bytes than usual, as if the lens were covered"
        case .clockUnsynced: "the clock can't be trusted"
        case .lineSlow:
            "a picture takes longer than CAPTURE_INTERVAL (CAMERA_STREAM=sub or a longer interval helps)"
        case .dropped:
            "\(counted(spool.dropped, "picture")) \(spool.dropped == 1 ? "has" : "have") been dropped from the spool so far"
        case .storeAway: "the disk for the pictures isn't mounted"
        case .storeFull: "the limits of the folder for pictures can't be met"
        case .stateReset: "the state was damaged or gone, and records were lost"
        case .settingsRefused: "the settings are refused"
        case .relayOutput, .relayInterrupted, .relayDown: relayWords[reason] ?? reason.rawValue
        }
    }

    /// The code of the last error, explained if the code alone is not clear.
    package var lastErrorInWords: String? {
        lastError == .own(.killed)
            ? "killed (out of memory? see journalctl -k)" : lastError?.rawValue.printable(limit: 64)
    }

    fileprivate func text(name: String, colour: Bool) -> TerminalText {
        func paint(_ text: String) -> TerminalText {
            guard colour else { return "\(text)" }
            let code = status == .healthy ? "32" : status == .degraded ? "33" : "31"
            return "\u{1B}[\(code);1m\(text)\u{1B}[0m"
        }
        let title = name.printable(limit: 64)
        let remedy = remedyText.map { [("to do", $0)] } ?? []
        let lines: [TerminalText] =
            ["\(title.isEmpty ? "" : title + ": ")\(paint(status.rawValue)): \(summary)"]
            + (remedy + figures).map { "  \($0.0.padded(to: 11)) \($0.1)" }
        return "\(TerminalText(joining: lines, with: "\n"))\n"
    }

    /// The names and values of the lines that apply.
    private var figures: [(String, String)] {
        var lines: [(String, String)] = []
        if !isRelayAlone {
            let late = failedUploads > 0 ? " (\(grouped(failedUploads)) not stored by the run that took them)" : ""
            let failed = captureFailures > 0 ? " (\(counted(captureFailures, "run")) without a picture)" : ""
            lines.append(("captured", "\(grouped(totalCaptures))\(failed), last \(Self.localText(lastCapture))"))
            lines.append(("uploaded", "\(grouped(totalUploads))\(late), last \(Self.localText(lastUpload))"))
            lines += workInWords.map { ($0.clause, $1 + ($2.isEmpty ? "" : ", \($2)")) }
        }
        if spool.count > 0 || spool.dropped > 0 {
            let dropped = spool.dropped > 0 ? ", \(grouped(spool.dropped)) dropped" : ""
            lines.append(("spool", "\(grouped(spool.count)) waiting, \(sizeText(spool.bytes))\(dropped)"))
        }
        if let traffic = traffic?.inWords { lines.append(("traffic", traffic)) }
        if consecutiveFailures > 0, let lastErrorInWords {
            lines.append(("failing", "\(counted(consecutiveFailures, "run")) in a row, last error \(lastErrorInWords)"))
        }
        if !clock.synced || clock.offsetSeconds != 0 {
            lines.append(("clock", "\(clock.synced ? "synced" : "not synced"), \(clock.offsetInWords)"))
        }
        if let credentials { lines.append(("credentials", "temporary, \(credentials.inWords)")) }
        if let relay {
            let troubles = (relay.failing ?? [:]).sorted { $0.key < $1.key }
                .map { ", \($0.key.printable(limit: 16)) fails: \($0.value.printable(limit: 64))" }.joined()
            let restarts = relay.restarts > 0 ? ", \(counted(relay.restarts, "restart"))" : ""
            let credentials = relay.credentials.map { ", uploads with temporary credentials \($0.inWords)" } ?? ""
            lines.append(("relay", "\(relay.state.printable(limit: 32))\(restarts)\(troubles)\(credentials)"))
        }
        return lines
    }

    /// A time of the state in local time.
    fileprivate static func localText(_ moment: String?) -> String {
        guard let moment else { return "never" }
        return Timestamp(iso8601: moment)?.localText ?? moment.printable(limit: 64)
    }
}

extension CredentialsStatus {
    /// When they end, and why they aren't renewed.
    package var inWords: String {
        let end = end.map { "until \(Health.localText($0))" } ?? "without an expiry date"
        return end + (renewalFailure.map { ", not renewed: \($0.printable(limit: 160))" } ?? "")
    }
}

extension TrafficRecord {
    /// The traffic of the last day and of today; nil if nothing was counted.
    package var inWords: String? {
        guard let today = days.last, sent > 0 || received > 0 else { return nil }
        func words(_ day: TrafficDay, _ name: String) -> String {
            "\(name) \(sizeText(day.sent)) sent, \(sizeText(day.received)) received"
        }
        let before = days.dropLast().last.map { words($0, $0.day == today.day - 1 ? "yesterday" : $0.date) + "; " }
        return (before ?? "") + words(today, "today") + " (UTC)"
    }
}

extension ClockFigures {
    /// The difference from the store's clock in words.
    package var offsetInWords: String {
        let seconds = Int(offsetSeconds.magnitude & UInt(Int.max))
        guard seconds > 0 else { return wallAtBoot == nil ? "nothing to compare it with" : "agrees with the store" }
        return "\(inWords(seconds)) \(offsetSeconds > 0 ? "behind" : "ahead of") the store's"
    }
}

extension String {
    /// Pads the text with spaces to `width` characters.
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
