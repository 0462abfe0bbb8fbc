/// Numbers that others wrote: in names, headers, files and settings. Reading them has bounds, so that using them can't
/// overflow.
extension Int {
    /// Up to 15 ASCII digits and nothing else: no sign, no white space. Ten thousand of such numbers can be added up.
    package init?(decimal text: some StringProtocol) {
        guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        self = text.utf8.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    /// The nearest whole number, at most what JSON can hold; 0 for what is no number.
    package init(bounded number: Double) {
        let most = Double(Int.largestInJSON)
        self = number.isNaN ? 0 : Int(Swift.min(Swift.max(number.rounded(), -most), most))
    }

    /// The sum; the largest or smallest number there is where it would overflow.
    package func adding(_ other: Int) -> Int {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other > 0 ? .max : .min) : sum
    }

    /// The product of two sizes, neither of them negative.
    package func times(_ other: Int) -> Int {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? .max : product
    }

    /// What every reader of JSON holds exactly (RFC 7493).
    package static let largestInJSON = 1 << 53

    /// This number, or the nearest that can be read again from JSON.
    package var fittingJSON: Int { Swift.min(Swift.max(self, -Int.largestInJSON), Int.largestInJSON) }
}

extension BinaryInteger {
    /// This number, which isn't negative, with zeros in front to at least `width` digits; hexadecimal ones in lower case.
    package func padded(_ width: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
