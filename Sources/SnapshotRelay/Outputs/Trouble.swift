/// The troubles of one part, each with a stable code: an enumeration of strings.
package protocol TroubleCode: RawRepresentable<String>, CaseIterable, Sendable {
    /// What it means, behind "no video from camera:" or "hls doesn't work:".
    var words: String { get }
    /// What helps.
    var hint: String? { get }
}

/// Why an output doesn't work.
package struct OutputTrouble: Equatable, Sendable {
    /// Short and stable, e.g. `push-unreachable`.
    package let code: String
    package let words: String
    package let hint: String?

    package init(_ trouble: some TroubleCode, _ words: String? = nil) {
        (code, self.words, hint) = (trouble.rawValue, words ?? trouble.words, trouble.hint)
    }
}
