import CLinux
import Glibc
import SnapshotBase
import SnapshotSettings

/// Recordings: `record/20260121T103045Z.mp4`, named by when they begin, UTC. ffmpeg writes in `record/.writing` and
/// numbers them there; they get their names while it still writes, since it counts anew after a disk that failed. What
/// is finished is synced and moved, never onto another. Retention knows only files with such names.
package struct RecordFolder: Sendable {
    private let path: String
    private let folder: Folder
    let writing: OutputFolder
    private let retention: RecordRetention
    private let isServed: Bool
    /// Finished segments, oldest first.
    private(set) var segments: [Segment] = []
    /// What has its name in `.writing`, in the order in which it was begun: the clock may have been set back between two.
    private var growing: [Growing] = []
    /// The time at which the stream's time of this run was zero.
    private var origin: Timestamp?

    /// The bound that is so tight that nothing that is finished stays.
    package var tooTight: Setting<Int?>? {
        if let maxBytes = retention.maxBytes, let last = lastFinished, last > maxBytes / 2 { return Key.recordMaxBytes }
        return retention.minFree != nil && lastFinished != nil && segments.isEmpty ? Key.recordMinFree : nil
    }
    /// The size of the last segment that was finished.
    private var lastFinished: Int?

    /// What is being written, and how much of it could be played when last looked at.
    private var grown: (name: String, bytes: Int)?

    struct Segment: Equatable, Sendable {
        var name: RecordName
        var bytes: Int
    }

    private struct Growing: Sendable {
        var name: RecordName
        /// What ffmpeg called it.
        var numbered: NumberedName?
        /// When it begins by the stream's time; known once it is finished.
        var begin: Timestamp?
        /// Whether it could not be finished at the last try.
        var hasFailed = false
    }

    /// Finishes what an earlier run, or a power cut, left in `.writing`.
    /// - Parameter isServed: whether the web front may read what is finished.
    package init(_ path: String, retention: RecordRetention, isServed: Bool = false) throws(Failure) {
        self.path = path
        self.retention = retention
        self.isServed = isServed
        do throws(SystemError) {
            let folder = try Folder(path, creating: 0o755)
            self.folder = folder
            writing = try OutputFolder(path + "/.writing")
            folder.handle.serve(isServed)
            segments = try folder.names().compactMap(RecordName.init).sorted().compactMap { name in
                size(of: name.text, in: folder).map { Segment(name: name, bytes: $0) }
            }
        } catch {
            throw cannotWrite(path, error)
        }
        // Serving may have been switched on just now.
        for segment in segments where isServed {
            try? folder.open(segment.name.text, O_RDONLY).shareWithFront()
        }
        finish(all: true)
    }

    /// Finishes what ffmpeg is done with: all but the newest, or all once it has ended. What can't be finished now, as on a
    /// disk that fails, keeps its place in the order and is tried again.
    /// - Returns: whether anything was finished.
    @discardableResult
    package mutating func finish(all: Bool) -> Bool {
        guard let present = try? writing.folder.names() else { return false }
        nameNew(present)
        let done = all ? growing[...] : growing.dropLast()
        if !done.isEmpty { takeTimes() }
        let finished = growing.prefix(done.count).map { (segment: $0, outcome: finish($0)) }
        var failed = finished.filter { $0.outcome == .failed }.map(\.segment)
        for index in failed.indices { failed[index].hasFailed = true }
        growing = failed + growing.dropFirst(done.count)
        if all { for name in present where SegmentList.isOne(name) { writing.folder.remove(name) } }
        return finished.contains { $0.outcome == .moved }
    }

    /// A run of ffmpeg begins.
    mutating func begin() { origin = nil }

    /// - Parameter origin: the time at which the stream's time was zero, as far as is known now.
    mutating func note(_ origin: Timestamp?) { self.origin = origin ?? self.origin }

    /// Names what ffmpeg has begun since the last call.
    private mutating func nameNew(_ present: [String]) {
        growing.removeAll { !present.contains($0.name.text) }
        let known = growing.map(\.name)
        growing += present.compactMap(RecordName.init).sorted().filter { !known.contains($0) }.map { Growing(name: $0) }
        for numbered in present.compactMap(NumberedName.init).sorted() {
            let begin = shim_birth_time(writing.folder.descriptor, numbered.text)
            guard begin >= 0 else { continue }
            let name = free(RecordName(begin: Timestamp(milliseconds: begin)), in: writing.folder)
            guard (try? writing.folder.rename(numbered.text, to: name.text)) != nil else { continue }
            // ffmpeg counts anew, and its list is of what was before.
            if let last = growing.last?.numbered, numbered <= last { writing.folder.remove(SegmentList.name(last.run)) }
            growing.append(Growing(name: name, numbered: numbered))
        }
    }

    /// Takes from ffmpeg's list when each began.
    private mutating func takeTimes() {
        guard let origin, let run = growing.last?.numbered?.run,
            let bytes = try? writing.folder.open(SegmentList.name(run), O_RDONLY).readAll(limit: 1 << 16)
        else { return }
        for row in SegmentList.rows(String(decoding: bytes, as: UTF8.self)) {
            if let index = growing.lastIndex(where: { $0.numbered == row.name }) {
                growing[index].begin = origin.advanced(byMilliseconds: row.begin)
            }
            // One that is broken off gets no line of its own.
            if let index = growing.lastIndex(where: { $0.numbered?.text == row.name.next }) {
                growing[index].begin = growing[index].begin ?? origin.advanced(byMilliseconds: row.end)
            }
        }
    }

    /// By when it was made, which is known to the file system alone; by the stream's time where it was made late.
    private func name(of segment: Growing) -> RecordName {
        guard let begin = segment.begin else { return segment.name }
        let isLate = segment.name.begin.milliseconds - begin.milliseconds > Self.tolerance
        return isLate ? RecordName(begin: begin) : segment.name
    }

    /// What ffmpeg's word of how far it is may be behind, in milliseconds.
    private static let tolerance = 2000

    /// The name, or its next copy that nothing has yet.
    private func free(_ name: RecordName, in folder: Folder) -> RecordName {
        var name = name
        while folder.status(name.text) != nil { name.copy += 1 }
        return name
    }

    /// Whether more that can be played has been written since the last call: on a full disk ffmpeg writes a header each second.
    mutating func takeGrowth() -> Bool {
        guard let name = growing.last?.name.text, let file = try? writing.folder.open(name, O_RDONLY) else {
            return false
        }
        let known = grown.flatMap { $0.name == name ? $0.bytes : nil } ?? 0
        guard let bytes = FragmentedMP4.wholeLength(of: file, known: known) else { return false }
        grown = (name, bytes)
        return bytes > known
    }

    private enum Finish { case moved, dropped, failed }

    private mutating func finish(_ segment: Growing) -> Finish {
        let name = segment.name.text
        guard let file = try? writing.folder.open(name, O_RDWR) else {
            return writing.folder.status(name) == nil ? .dropped : .failed
        }
        guard let length = FragmentedMP4.wholeLength(of: file) else { return .failed }
        guard length > 0 else { return writing.folder.remove(name) ? .dropped : .failed }
        // Cut at the end of the last whole fragment: what follows it is what ffmpeg was killed over.
        guard retrying({ ftruncate(file.descriptor, off_t(length)) }) == 0, (try? file.sync()) != nil else {
            return .failed
        }
        if isServed { file.shareWithFront() }
        let target = free(self.name(of: segment), in: folder)
        guard (try? writing.folder.rename(name, to: target.text, in: folder)) != nil else { return .failed }
        try? folder.sync()
        // One that took several tries is older than those before it.
        let place = segment.hasFailed ? segments.firstIndex { $0.name > target } : nil
        segments.insert(Segment(name: target, bytes: length), at: place ?? segments.endIndex)
        lastFinished = length
        return .moved
    }

    /// Forgets a segment that is no longer there.
    package mutating func forget(_ name: String) {
        segments.removeAll { $0.name.text == name }
    }

    /// Deletes the oldest beyond the bounds. The segment that is being written counts as large as the last one.
    /// - Returns: how many were deleted.
    @discardableResult
    package mutating func retain(now: Timestamp) -> Int {
        var total = segments.reduce(segments.last?.bytes ?? 0) { $0.adding($1.bytes) }
        var (kept, rest): ([Segment], ArraySlice<Segment>) = ([], segments[...])
        while let oldest = rest.first, isBeyond(oldest, total: total, now: now) {
            rest.removeFirst()
            total -= oldest.bytes
            // One that can't be removed is no reason to keep the others.
            if !folder.remove(oldest.name.text), errno != ENOENT { kept.append(oldest) }
        }
        let deleted = segments.count - kept.count - rest.count
        if deleted > 0 { segments = kept + rest }
        return deleted
    }

    private func isBeyond(_ segment: Segment, total: Int, now: Timestamp) -> Bool {
        if let maxBytes = retention.maxBytes, total > maxBytes { return true }
        if let maxAge = retention.maxAge,
            now.milliseconds - segment.name.begin.milliseconds > Int64(maxAge.milliseconds)
        {
            return true
        }
        if let minFree = retention.minFree, let free = freeBytes(path), free < minFree { return true }
        return false
    }
}

/// Nil for what is no file.
private func size(of name: String, in folder: Folder) -> Int? {
    folder.status(name).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
}
