import SnapshotBase
import SnapshotSettings

/// The third and the fourth question: how often, and who may see the status page.
extension Setup {
    mutating func askInterval() throws(SetupEnd) {
        terminal.say("\nHow often\n")
        while true {
            let current = try ending { () throws(Failure) in try draft.settings()[Key.captureInterval] }
            terminal.say("every \(amounts(current))\n")
            let answer = try terminal.ask("interval, such as 5s, 1m or 1h", default: current.settingText)
            guard try keeping({ draft throws(Failure) in try draft.set(Key.captureInterval.declaration, answer) })
            else {
                continue
            }
            let new = try ending { () throws(Failure) in try draft.settings()[Key.captureInterval] }
            if new != current { terminal.say("every \(amounts(new))\n") }
            return
        }
    }

    /// What an interval amounts to: `10s: 8,640 pictures, about 3.4 GB and 8,640 requests a day`.
    func amounts(_ interval: Duration) -> String {
        let pictures = max(1, 86_400_000 / max(1, interval.milliseconds))
        var parts = ["\(counted(pictures, "picture"))"]
        if let bytes = draft.pictureBytes { parts.append("about \(sizeText(pictures.times(bytes)))") }
        if (try? draft.settings()[Key.storageBackend]) != .filesystem { parts.append(counted(pictures, "request")) }
        let list =
            parts.count == 1 ? parts[0] : parts.dropLast().joined(separator: ", ") + " and " + parts[parts.count - 1]
        return "\(interval.settingText): \(list) a day"
    }

    mutating func askPage() throws(SetupEnd) {
        terminal.say("\nThe status page\n")
        web = try terminal.confirm(
            "open it to the network, with pictures and behind a password", default: Page(draft.target).isOpen)
    }
}
