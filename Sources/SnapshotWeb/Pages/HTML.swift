/// Markup. Text that is interpolated into it is escaped, and only other markup goes in as it is, so no name or path can
/// become an element.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    private(set) var markup: String

    init(stringLiteral markup: String) { self.markup = markup }
    init(stringInterpolation: Interpolation) { markup = stringInterpolation.markup }
    /// Markup from one of our own files, which isn't escaped.
    init(trusted file: [UInt8]) { markup = String(decoding: file, as: UTF8.self) }
    init(joining parts: [HTML]) { markup = parts.map(\.markup).joined() }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var markup = ""

        init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity * 2) }

        mutating func appendLiteral(_ literal: String) { markup += literal }
        mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
        mutating func appendInterpolation(_ html: HTML?) { markup += html?.markup ?? "" }
        mutating func appendInterpolation(_ list: [HTML]) { for html in list { markup += html.markup } }
        mutating func appendInterpolation(_ number: Int) { markup += String(number) }
        /// A coordinate, rounded to a tenth.
        mutating func appendInterpolation(_ number: Double) {
            let tenths = Int((min(max(number, -1e6), 1e6) * 10).rounded())
            markup += tenths % 10 == 0 ? String(tenths / 10) : String(Double(tenths) / 10)
        }
        mutating func appendInterpolation(_ text: String) { markup += HTML.escape(text) }
    }

    static func escape(_ text: String) -> String {
        var markup = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": markup += "&amp;"
            case "<": markup += "&lt;"
            case ">": markup += "&gt;"
            case "\"": markup += "&quot;"
            case "'": markup += "&#39;"
            case "\t", "\n": markup.unicodeScalars.append(scalar)
            case _ where scalar.isUnprintable: markup += "\u{FFFD}"
            default: markup.unicodeScalars.append(scalar)
            }
        }
        return markup
    }
}
