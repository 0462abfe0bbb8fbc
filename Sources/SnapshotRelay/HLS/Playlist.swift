import SnapshotBase

/// An HLS media playlist: what players are told. Its numbering only ever goes up, whatever happens to ffmpeg, to this
/// program or to the disk.
package struct Playlist: Equatable, Sendable {
    package struct Segment: Equatable, Sendable {
        package var name: String
        package var seconds: Double
        /// As ffmpeg wrote it: when the segment began.
        package var date: String?
        /// Whether the media before it has another timeline.
        package var isDiscontinuous = false
        /// The initialisation that it needs; nil for MPEG-TS.
        package var map: String?

        package init(name: String, seconds: Double, date: String? = nil) {
            self.name = name
            self.seconds = seconds
            self.date = date
        }
    }

    /// Seconds; a camera whose clock is set makes ffmpeg say hours.
    private static let longestSegment = 1e7
    /// What players can count to.
    private static let highestNumber = 1 << 52

    /// The number of the first segment.
    package var mediaSequence: Int
    /// How many discontinuities have left the list.
    package var discontinuitySequence = 0
    /// Seconds; no segment is longer.
    package var targetDuration: Int
    package var segments: [Segment] = []

    package init(mediaSequence: Int, targetDuration: Int) {
        self.mediaSequence = mediaSequence
        self.targetDuration = targetDuration
    }

    /// Reads a playlist, ours or ffmpeg's; nil where its numbering can't be known.
    package init?(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(\.trimmed)[...]
        guard lines.popFirst() == "#EXTM3U" else { return nil }
        var sequence: Int?
        self.init(mediaSequence: 0, targetDuration: 1)
        var next = Segment(name: "", seconds: 0)
        var map: String?
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
                map = String(name)
            } else if let text = value("#EXT-X-PROGRAM-DATE-TIME:") {
                next.date = text
            } else if let text = value("#EXTINF:") {
                next.seconds = Double(text.prefix { $0 != "," }) ?? 0
            } else if !line.hasPrefix("#") {
                guard isPlainName(line), next.seconds > 0, next.seconds <= Self.longestSegment else { return nil }
                next.name = String(line)
                next.map = map
                segments.append(next)
                next = Segment(name: "", seconds: 0)
            }
        }
        guard let sequence, (0...Self.highestNumber).contains(sequence) else { return nil }
        mediaSequence = sequence
    }

    /// Adds segments at the end and takes away those beyond `limit`, oldest first.
    package mutating func append(_ new: [Segment], limit: Int) -> [Segment] {
        segments += new
        for segment in new { targetDuration = max(targetDuration, Int(segment.seconds.rounded())) }
        return removeFirst(max(0, segments.count - limit))
    }

    package mutating func removeFirst(_ count: Int) -> [Segment] {
        let removed = Array(segments.prefix(count))
        segments.removeFirst(removed.count)
        mediaSequence += removed.count
        discontinuitySequence += removed.count { $0.isDiscontinuous }
        return removed
    }

    package var text: String {
        let version = segments.contains { $0.map != nil } ? 7 : 3
        var text = "#EXTM3U\n#EXT-X-VERSION:\(version)\n#EXT-X-TARGETDURATION:\(targetDuration)\n"
        text += "#EXT-X-MEDIA-SEQUENCE:\(mediaSequence)\n"
        text += "#EXT-X-DISCONTINUITY-SEQUENCE:\(discontinuitySequence)\n"
        var map: String?
        for segment in segments {
            if segment.isDiscontinuous { text += "#EXT-X-DISCONTINUITY\n" }
            if let needed = segment.map, needed != map { text += "#EXT-X-MAP:URI=\"\(needed)\"\n" }
            map = segment.map
            if let date = segment.date { text += "#EXT-X-PROGRAM-DATE-TIME:\(date)\n" }
            text += "#EXTINF:\(decimals(segment.seconds)),\n\(segment.name)\n"
        }
        return text
    }
}

/// A file's name without a path.
private func isPlainName(_ text: Substring) -> Bool { !text.isEmpty && !text.contains("/") && !text.hasPrefix(".") }

/// Three decimals: a thousandth is all that players keep.
private func decimals(_ seconds: Double) -> String {
    let thousandths = Int((seconds * 1000).rounded())
    return "\(thousandths / 1000).\((thousandths % 1000).padded(3))"
}
