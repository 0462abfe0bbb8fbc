import Glibc
import SnapshotBase

/// The folder from which players are served. ffmpeg writes the segments and a playlist that begins anew with each run.
/// This type reads that playlist and writes `stream.m3u8` for players, which continues across restarts.
package struct HLSFolder: Sendable {
    /// The number of segments in the playlist; as many more stay on the disk for slow players.
    package static let listSize = 6

    let output: FFmpegFolder
    private(set) var playlist: Playlist
    private var retired: [Playlist.Segment] = []
    /// ffmpeg's playlist in this run: its name, that of the initialisation segment, and the status when last read.
    private var list: (name: String, initialisation: String, seen: stat)?
    /// The number of the last segment that this run of ffmpeg has finished; nil before the first.
    private var last: Int?
    /// Whether the camera's timestamps jumped within the last segment.
    private var jumps = false
    private let segmentTime: Duration
    private let isServed: Bool

    /// In seconds. A segment that exceeds HLS_SEGMENT_TIME by more than this has a wrong duration, since the camera's
    /// clock was set within it.
    private static let largestExcess = 60.0

    /// Opens the folder, continues the playlist in it, and removes files that aren't listed.
    /// - Parameters:
    ///   - now: where there is no playlist, the media sequence begins at this time in seconds, higher than any before.
    ///   - isServed: whether the web front may read the listed files.
    package init(_ path: String, segmentTime: Duration, now: Timestamp, isServed: Bool = false) throws(Failure) {
        self.segmentTime = segmentTime
        self.isServed = isServed
        do throws(SystemError) {
            output = try FFmpegFolder(path)
            output.folder.handle.setFrontAccess(isServed)
        } catch {
            throw cannotWrite(path, error)
        }
        let found = Self.readList("stream.m3u8", in: output.folder)
        let target = max(1, Int(segmentTime.seconds.rounded(.up)))
        playlist = found ?? Playlist(mediaSequence: Int(now.milliseconds / 1000), targetDuration: target)
        playlist.targetDuration = max(playlist.targetDuration, target)
        // Drop segments whose file is missing or not ours, and all before them, since numbers must be consecutive.
        let folder = output.folder
        let missing = playlist.segments.lastIndex { !Self.isOurs($0.name) || folder.status($0.name) == nil }
        _ = playlist.removeFirst(missing.map { $0 + 1 } ?? 0)
        sweep()
        // The setting may have changed since these files were written.
        share(["stream.m3u8"] + playlist.segments.flatMap { [$0.name, $0.initialisation] })
    }

    /// Lets the web front read these files.
    private func share(_ names: [String?]) {
        for name in names.compactMap({ $0 }) where isServed {
            try? output.folder.open(name, O_RDONLY).shareWithFront()
        }
    }

    private static func readList(_ name: String, in folder: Folder) -> Playlist? {
        guard let bytes = try? folder.open(name, O_RDONLY).readAll(limit: 1 << 20) else { return nil }
        return Playlist(String(decoding: bytes, as: UTF8.self))
    }

    /// A run of ffmpeg begins.
    /// - Returns: the names of ffmpeg's playlist and of its initialisation segment.
    @discardableResult
    package mutating func begin(now: Timestamp) -> (list: String, initialisation: String) {
        let names = Self.names(now)
        list = (names.list, names.initialisation, stat())
        last = nil
        jumps = false
        return names
    }

    static func names(_ runStart: Timestamp) -> (list: String, initialisation: String) {
        (".live-\(runStart.compact).m3u8", "init-\(runStart.compact).mp4")
    }

    /// Lists the segments that ffmpeg has finished; called about once a second.
    /// - Returns: whether there were new ones.
    @discardableResult
    package mutating func update() -> Bool {
        guard var list else { return false }
        guard let facts = output.folder.status(list.name), !isSame(facts, list.seen) else { return false }
        list.seen = facts
        guard let theirs = Self.readList(list.name, in: output.folder) else { return false }
        let new = theirs.segments.filter { segment in
            guard let number = Self.number(of: segment.name) else { return false }
            return last.map { number > $0 } ?? true
        }
        guard !new.isEmpty else { return false }
        let before = (playlist, retired, last, jumps)
        // EXT-X-MAP applies to all later segments, so .ts segments can't follow fMP4 ones: retire those first.
        if playlist.segments.last?.initialisation != nil, new[0].name.hasSuffix(".ts") {
            retired += playlist.removeFirst(playlist.segments.count)
        }
        retired += playlist.append(new.map { entry($0, list.initialisation) }, limit: Self.listSize)
        guard write() else {
            (playlist, retired, last, jumps) = before
            return false
        }
        self.list = list
        removeRetired()
        return true
    }

    /// ffmpeg has ended: lists the last segment and removes incomplete files.
    package mutating func end() {
        update()
        list = nil
        sweep()
    }

    /// The segment's entry in the playlist for players. It is discontinuous where the timestamps have jumped, or where
    /// its number doesn't follow the last one's: one muxer writes consecutive numbers.
    private mutating func entry(_ segment: Playlist.Segment, _ initialisation: String) -> Playlist.Segment {
        var segment = segment
        let number = Self.number(of: segment.name)
        segment.isDiscontinuous = !playlist.segments.isEmpty && (last == nil || number != last.map { $0 + 1 } || jumps)
        // The camera's clock jumped inside this segment. Don't publish the wrong duration: players would wait that long
        // before they reload the playlist.
        jumps = segment.seconds > segmentTime.seconds + Self.largestExcess
        if jumps { segment.seconds = segmentTime.seconds }
        segment.initialisation = segment.name.hasSuffix(".m4s") ? initialisation : nil
        share([segment.name, segment.initialisation])
        last = number
        return segment
    }

    /// Replaces the playlist atomically. It isn't synced: if a power cut destroys it, the media sequence begins at
    /// the present time in seconds, which is higher than any number before.
    private func write() -> Bool {
        let temporary = "stream.m3u8.tmp"
        output.folder.remove(temporary)
        guard let file = try? output.folder.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644),
            (try? file.write(Array(playlist.text.utf8))) != nil
        else {
            output.folder.remove(temporary)
            return false
        }
        if isServed { file.shareWithFront() }
        return (try? output.folder.rename(temporary, to: "stream.m3u8")) != nil
    }

    private mutating func removeRetired() {
        guard retired.count > Self.listSize else { return }
        let gone = retired.prefix(retired.count - Self.listSize)
        retired.removeFirst(gone.count)
        let kept = Set((playlist.segments + retired).compactMap(\.initialisation) + [list?.initialisation ?? ""])
        for segment in gone {
            output.folder.remove(segment.name)
            if let needed = segment.initialisation, !kept.contains(needed) { output.folder.remove(needed) }
        }
    }

    /// Removes every file of this output that no player can request any more.
    private func sweep() {
        let listed = playlist.segments + retired
        let kept = Set(listed.map(\.name) + listed.compactMap(\.initialisation))
        for name in (try? output.folder.names()) ?? [] where Self.isOurs(name) && !kept.contains(name) {
            output.folder.remove(name)
        }
    }

    static func isOurs(_ name: String) -> Bool {
        let stem = name.hasSuffix(".tmp") ? String(name.dropLast(4)) : name
        if name == "stream.m3u8.tmp" || number(of: stem) != nil { return true }
        return (stem.hasPrefix("init-") && stem.hasSuffix(".mp4"))
            || (stem.hasPrefix(".live-") && stem.hasSuffix(".m3u8"))
    }

    /// The number in a segment's name, which counts from a time in microseconds; nil for any other name.
    private static func number(of name: String) -> Int? {
        guard name.hasSuffix(".ts") || name.hasSuffix(".m4s"), let dot = name.firstIndex(of: ".") else { return nil }
        let digits = name[..<dot]
        guard digits.utf8.count >= 8, digits.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(digits)
    }
}

/// Whether a file that is only replaced as a whole is unchanged.
private func isSame(_ left: stat, _ right: stat) -> Bool {
    left.st_ino == right.st_ino && left.st_size == right.st_size && left.st_mtim.tv_sec == right.st_mtim.tv_sec
        && left.st_mtim.tv_nsec == right.st_mtim.tv_nsec
}
