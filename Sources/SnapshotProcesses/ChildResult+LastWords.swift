import SnapshotBase

extension ChildResult {
    /// How much standard error to keep, in bytes: more than is shown, so that a secret in it is complete.
    package static let stderrLimit = 1 << 16
    private static let shownLimit = 300

    /// The end of the last non-blank line on standard error, without secrets and control characters; nil if there is
    /// none.
    package func lastWords(hiding secrets: Secrets = .ofThisRun) -> String? {
        let lines = stderrTail.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard let line = lines.last(where: { $0.contains { $0 > 0x20 } }) else { return nil }
        let text = "\(ForeignText(line, limit: Self.stderrLimit, secrets: secrets))"
        return text.count > Self.shownLimit ? "…" + text.suffix(Self.shownLimit) : text
    }
}
