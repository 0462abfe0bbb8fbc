import SnapshotBase

/// The result of a setup.
package struct SetupReport: Sendable {
    /// The settings file.
    package var settingsPath = ""
    /// Paths of files that are new or have changed.
    package var written: [String] = []
    /// The timer that takes pictures from now on; nil without systemd.
    package var timer: String?
    /// A line for cron; nil where there is a timer.
    package var cronLine: String?
    /// Where the first picture is stored.
    package var picture: String?
    /// The status page, if it was opened to the network.
    package var page: (address: String, password: String)?
    /// What the user may do next: commands and their purpose.
    package var next: [(command: String, purpose: String)] = []

    package init() {}

    package var json: JSONObject {
        let page: JSONObject? = self.page.map { ["address": $0.address, "password": $0.password] }
        return [
            "ok": true, "exit": 0, "changed": !written.isEmpty, "settings": settingsPath, "written": written,
            "timer": timer, "cron": cronLine, "picture": picture, "page": page,
        ]
    }

    package var text: TerminalText {
        var text: TerminalText =
            written.isEmpty ? "\nnothing had to be changed\n" : "\nwrote \(written.joined(separator: ", "))\n"
        if let cronLine {
            text += "for pictures from now on add this line with `crontab -e`:\n  \(cronLine)\n"
        }
        if let timer { text += "\(timer) takes pictures from now on\n" }
        if let picture { text += "first picture: \(picture)\n" }
        if let page { text += "page: \(page.address)  password: \(page.password)\n" }
        if !next.isEmpty { text += "\nnext:\n" }
        let width = next.map(\.command.count).max() ?? 0
        for (command, purpose) in next {
            text += "  \(command)\(String(repeating: " ", count: width - command.count))   # \(purpose)\n"
        }
        return text
    }
}
