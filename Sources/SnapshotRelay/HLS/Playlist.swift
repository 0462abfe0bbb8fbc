import SnapshotBase

/// An HLS media playlist (RFC 8216). Its media sequence never decreases, whatever happens to ffmpeg, this program or
/// the disk.
package struct Playlist: Equatable, Sendable {
    package struct Segment: Equatable, Sendable {
        package var name: String
        package var seconds: Double
        /// When the segment began, as written by ffmpeg (EXT-X-PROGRAM-DATE-TIME).
        package var date: String?
        /// Whether its timeline differs from the one before (EXT-X-DISCONTINUITY).
        package var isDiscontinuous = false
        /// The file name of its initialisation segment (EXT-X-MAP); nil for MPEG-TS.
        package var initialisation: String?

        package init(name: String, seconds: Double, date: String? = nil) {
            self.name = name
            self.seconds = seconds
            self.date = date
        }
    }

    /// In seconds. The bound is large, since ffmpeg reports hours where the camera's clock was set.
    private static let longestSegment = 1e7
    /// The largest number that players, which count in doubles, can handle.
    private static let highestNumber = 1 << 52

    /// The number of the first segment.
    package var mediaSequence: Int
    /// The number of discontinuities that were removed from the playlist.
    package var discontinuitySequence = 0
    /// In seconds; no segment is longer after rounding.
    package var targetDuration: Int
    package var segments: [Segment] = []

    package init(mediaSequence: Int, targetDuration: Int) {
        self.mediaSequence = mediaSequence
        self.targetDuration = targetDuration
    }

    /// Parses a playlist of this program or of ffmpeg; nil where its media sequence, a name or a duration isn't valid.
    package init?(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(\.trimmed)[...]
        guard lines.popFirst() == "#EXTM3U" else { return nil }
        var sequence: Int?
        self.init(mediaSequence: 0, targetDuration: 1)
        var next = Segment(name: "", seconds: 0)
        var initialisation: String?
        for line in lines {
            func value(_ tag: String) -> String? { line.hasPrefix(tag) ? String(line.dropFirst(tag.count)) : nil }
            if let text = value("#EXT-X-MEDIA-SEQUENCE:") {
                sequence = Int(text)
            } else if let text = value("#EXT-X-DISCONTINUITY-SEQUENCE:") {
                discontinuitySequence = min(max(0, Int(text) ?? 0), Self.highestNumber)
            } else if let text = value("#EXT-X-TARGETDURATION:") {
                targetDuration = min(max(1, Int(text) ?? 1), 3600)
            } else if line == "#EXT-X-DISCONTINUITY" {
                next.isDiscontinuous = true
            } else if let text = value("#EXT-X-MAP:URI=\"") {
                let name = text.prefix { $0 != "\"" }
                guard isPlainName(name) else { return nil }
                initialisation = String(name)
            } else if let text = value("#EXT-X-PROGRAM-DATE-TIME:") {
                next.date = text
            } else if let text = value("#EXTINF:") {
                next.seconds = Double(text.prefix { $0 != "," }) ?? 0
            } else if !line.hasPrefix("#") {
                guard isPlainName(line), next.seconds > 0, next.seconds <= Self.longestSegment else { return nil }
                next.name = String(line)
                next.initialisation = initialisation
                segments.append(next)
                next = Segment(name: "", seconds: 0)
            }
        }
        guard let sequence, (0...Self.highestNumber).contains(sequence) else { return nil }
        mediaSequence = sequence
    }

    /// Adds segments at the end, and removes the oldest beyond `limit`.
    /// - Returns: the removed segments.
    package mutating func append(_ new: [Segment], limit: Int) -> [Segment] {
        segments += new
        for segment in new { targetDuration = max(targetDuration, Int(segment.seconds.rounded())) }
        return removeFirst(max(0, segments.count - limit))
    }

    /// Removes the oldest segments, and advances both sequence numbers.
    /// - Returns: the removed segments.
    package mutating func removeFirst(_ count: Int) -> [Segment] {
        let removed = Array(segments.prefix(count))
        segments.removeFirst(removed.count)
        mediaSequence += removed.count
        discontinuitySequence += removed.count { $0.isDiscontinuous }
        return removed
    }

    /// The playlist in M3U8 format.
    package var text: String {
        let version = segments.contains { $0.initialisation != nil } ? 7 : 3
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version)\n#EXT-X-TARGETDURATION:\(targetDuration)\n"
        text += "#EXT-X-MEDIA-SEQUENCE:\(mediaSequence)\n"
        text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuitySequence)\n"
        var last: String?
        for segment in segments {
            if segment.isDiscontinuous { text += "#EXT-X-DISCONTINUITY\n" }
            if let needed = segment.initialisation, needed != last { text += "#EXT-X-MAP:URI=\"\(needed)\"\n" }
            last = segment.initialisation
            if let date = segment.date { text += "#EXT-X-PROGRAM-DATE-TIME:\(date)\n" }
            text += "#EXTINF:\(decimals(segment.seconds)),\n\(segment.name)\n"
        }
        return text
    }
}

/// Whether the text is a file name without a path, and not hidden.
private func isPlainName(_ text: Substring) -> Bool { !text.isEmpty && !text.contains("/") && !text.hasPrefix(".") }

/// Seconds with three decimals; players use no more.
private func decimals(_ seconds: Double) -> String {
    let thousandths = Int((seconds * 1000).rounded())
    return "\(thousandths / 1000).\((thousandths % 1000).padded(3))"
}
