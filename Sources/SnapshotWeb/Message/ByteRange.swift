/// The part of a file that a `Range` header asks for.
enum ByteRange: Equatable {
    /// The whole file: there is no header, it can't be parsed, or it has several ranges, which a server may ignore.
    case whole
    case part(offset: Int, count: Int)
    /// The range lies outside the file, which is answered with 416.
    case unsatisfiable

    init(_ header: String?, size: Int) {
        self = header.flatMap { Self.parse($0, size: size) } ?? .whole
    }

    private static func parse(_ header: String, size: Int) -> ByteRange? {
        guard header.lowercased().hasPrefix("bytes=") else { return nil }
        let bounds = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = position(bounds[0]), let last = position(bounds[1]) else {
            return nil
        }
        switch (first, last) {
        case (nil, nil): return nil
        case (nil, let suffix?):
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            let count = min(suffix, size)
            return .part(offset: size - count, count: count)
        case (let offset?, let last):
            if let last, last < offset { return nil }
            guard offset < size else { return .unsatisfiable }
            return .part(offset: offset, count: min(last ?? Int.max, size - 1) - offset + 1)
        }
    }

    /// A bound of the range, at most `Int.max`; `.some(nil)` where it is missing, nil where it isn't a number.
    private static func position(_ text: Substring) -> Int?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return .some(Int(decimal: text) ?? Int.max)
    }
}
