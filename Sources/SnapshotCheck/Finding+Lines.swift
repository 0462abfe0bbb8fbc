import SnapshotBase

extension Finding {
    /// The finding for people: one line, and one for the hint.
    package func lines(colour: Bool) -> TerminalText {
        let name = subject + String(repeating: " ", count: max(0, 9 - subject.count))
        var lines: TerminalText = "\(sign(colour: colour)) \(name) \(text)\n"
        if let hint { lines += "            hint: \(hint)\n" }
        return lines
    }

    private func sign(colour: Bool) -> TerminalText {
        let (sign, code): (TerminalText, String) =
            switch result {
            case .passed: ("✓", "32")
            case .failed: ("✗", isNecessary ? "31;1" : "33")
            case .skipped: ("–", "2")
            }
        return colour ? "\u{1B}[\(code)m\(sign)\u{1B}[0m" : sign
    }
}
