import Glibc

/// Text for standard output or standard error. Only literals are used unchanged: every interpolated text is made
/// printable, so that foreign text cannot control the terminal or begin a new line.
package struct TerminalText: ExpressibleByStringInterpolation, Sendable {
    package private(set) var text: String

    package init(stringLiteral text: String) { self.text = text }
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }
    package init(joining parts: [TerminalText], with separator: TerminalText = "") {
        text = parts.first?.text ?? ""
        for part in parts.dropFirst() { text += separator.text + part.text }
    }
    /// Text of several lines that this program has composed.
    package init(lines: String) {
        text = lines.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable(limit: 2000) }
            .joined(separator: "\n")
    }

    package static func += (left: inout TerminalText, right: TerminalText) { left.text += right.text }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ part: TerminalText) { text += part.text }
        package mutating func appendInterpolation(_ words: String) { text += words.printable(limit: 2000) }
        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            appendInterpolation(value.description)
        }
        /// JSON is already printable.
        package mutating func appendInterpolation(_ json: JSON) { text += json.text }
    }
}

/// Writes without buffering. Errors are ignored, as a closed standard output or error can't be reported.
package func writeText(to descriptor: Int32, _ text: TerminalText) {
    var bytes = Array(text.text.utf8)[...]
    while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { raw in
            retrying { write(descriptor, raw.baseAddress, raw.count) }
        }
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
    }
}
