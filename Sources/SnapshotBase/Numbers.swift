/// Numbers from outside: in names, headers, files and settings. They are bounded when read, so that arithmetic on them
/// cannot overflow.
extension Int {
    /// Parses 1 to 15 ASCII digits and nothing else: no sign, no white space. Sums of thousands of such numbers fit in
    /// Int.
    package init?(decimal text: Substring) {
        guard (1...15).contains(text.utf8.count) else { return nil }
        var number = 0
        for byte in text.utf8 {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 48)
        }
        self = number
    }

    package init?(decimal text: String) { self.init(decimal: text[...]) }

    /// The nearest integer whose magnitude is at most `largestInJSON`; 0 for NaN.
    package init(bounded number: Double) {
        let most = Double(Int.largestInJSON)
        self = number.isNaN ? 0 : Int(Swift.min(Swift.max(number.rounded(), -most), most))
    }

    /// The sum, clamped to `Int.min` or `Int.max` on overflow.
    package func adding(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }

    /// The product of two non-negative numbers, clamped to `Int.max` on overflow.
    package func times(_ other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max : product
    }

    /// 2⁵³, up to which a Double represents every integer exactly. RFC 7493 allows JSON integers up to one less.
    package static let largestInJSON = 1 << 53

    /// This number, clamped to what can be read back from JSON.
    package var fittingJSON: Int { Swift.min(Swift.max(self, -Int.largestInJSON), Int.largestInJSON) }
}

extension BinaryInteger {
    /// The digits of this non-negative number, lower case, padded with zeros to at least `width` digits.
    package func padded(_ width: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
