/// Text taken apart at ASCII, by its bytes: to Swift a slash with an accent behind it is one Character and no slash, and so
/// is a quote; to file systems, stores and everybody else it is one.
extension Substring {
    /// The range of the first occurrence of `text`.
    package func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if utf8[start...].starts(with: text.utf8) {
                return start..<utf8.index(start, offsetBy: text.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }

    /// What stands before and behind the first `mark`; nil where there is none.
    package func cutAtFirst(_ mark: Unicode.Scalar) -> (Substring, Substring)? {
        utf8.firstIndex(of: UInt8(ascii: mark)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    /// What stands before and behind the last `mark`; nil where there is none.
    package func cutAtLast(_ mark: Unicode.Scalar) -> (Substring, Substring)? {
        utf8.lastIndex(of: UInt8(ascii: mark)).map { (self[..<$0], self[utf8.index(after: $0)...]) }
    }

    /// All pieces, empty ones included.
    package func cut(at mark: Unicode.Scalar) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self
        while let (piece, behind) = rest.cutAtFirst(mark) {
            pieces.append(piece)
            rest = behind
        }
        return pieces + [rest]
    }
}
