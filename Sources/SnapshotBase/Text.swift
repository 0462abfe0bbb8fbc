/// Splits text at ASCII characters by its bytes. Swift combines a slash or quote and a following accent into one
/// Character, whereas file systems and stores see a slash.
extension Substring {
    /// The range of the first occurrence of `text`, which must not be empty.
    package func range(of text: String) -> Range<Index>? {
        guard let first = text.utf8.first else { return nil }
        var rest = utf8
        while let start = rest.firstIndex(of: first) {
            if rest[start...].starts(with: text.utf8) { return start..<utf8.index(start, offsetBy: text.utf8.count) }
            rest = rest[rest.index(after: start)...]
        }
        return nil
    }

    /// The text before and after the first `mark`; nil if there is none.
    package func cutAtFirst(_ mark: Unicode.Scalar) -> (Substring, Substring)? {
        utf8.firstIndex(of: UInt8(ascii: mark)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    /// The text before and after the last `mark`; nil if there is none.
    package func cutAtLast(_ mark: Unicode.Scalar) -> (Substring, Substring)? {
        utf8.lastIndex(of: UInt8(ascii: mark)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    /// All pieces between the marks, including empty ones.
    package func cut(at mark: Unicode.Scalar) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self
        while let (piece, after) = rest.cutAtFirst(mark) {
            pieces.append(piece)
            rest = after
        }
        return pieces + [rest]
    }
}
