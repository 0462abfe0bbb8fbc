import SnapshotBase

/// Which recordings a list shows: all of them, those of a day in local time, or those of an hour of it; and which page.
struct RecordingsSelection: Hashable {
    /// `2026-01-21`
    var day: String?
    /// `14`
    var hour: String?
    /// The number of the page, counted from 1.
    var page = 1

    private static let mostPages = 1_000_000

    /// - Parameter segments: the segments below `recordings`, as `2026-01-21`, `14`, `page-2`, each of which may be
    ///   missing.
    init?(_ segments: ArraySlice<String>) {
        var segments = segments
        if let last = segments.last, last.hasPrefix("page-"), let page = Int(decimal: last.dropFirst(5)), page > 1,
            page <= Self.mostPages
        {
            self.page = page
            segments.removeLast()
        }
        guard segments.count <= 2 else { return nil }
        if let day = segments.first {
            guard Self.isForm(day, "dddd-dd-dd") else { return nil }
            self.day = day
        }
        if segments.count == 2, let hour = segments.last {
            guard Self.isForm(hour, "dd") else { return nil }
            self.hour = hour
        }
    }

    init(day: String? = nil, hour: String? = nil, page: Int = 1) {
        (self.day, self.hour, self.page) = (day, hour, page)
    }

    /// The relative path from the list of all recordings to this list, with a slash at its end.
    var path: String {
        let page = page > 1 ? "page-\(page)" : nil
        return [day, hour, page].compactMap { $0.map { $0 + "/" } }.joined()
    }

    /// The relative path back to the list of all recordings.
    var back: String { String(repeating: "../", count: path.utf8.filter { $0 == UInt8(ascii: "/") }.count) }

    private static func isForm(_ text: String, _ form: String) -> Bool {
        text.utf8.count == form.utf8.count
            && zip(text.utf8, form.utf8).allSatisfy { byte, wanted in
                wanted == UInt8(ascii: "d") ? (48...57).contains(byte) : byte == wanted
            }
    }
}
