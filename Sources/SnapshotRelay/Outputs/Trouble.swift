/// An enumeration of troubles; the raw value is a stable code.
package protocol TroubleCode: RawRepresentable<String>, CaseIterable, Sendable {
    /// The explanation that follows "no video from camera:" or "hls doesn't work:".
    var words: String { get }
    /// What a person can do about it; nil where nothing is known.
    var hint: String? { get }
}

/// Why an output doesn't work.
package struct OutputTrouble: Equatable, Sendable {
    /// A short, stable code, e.g. `push-unreachable`.
    package let code: String
    package let words: String
    package let hint: String?

    package init(_ trouble: some TroubleCode, _ words: String? = nil) {
        (code, self.words, hint) = (trouble.rawValue, words ?? trouble.words, trouble.hint)
    }
}
