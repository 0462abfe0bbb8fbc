import CLinux
import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotSettings

/// The folder of recordings, `record/20260121T103045Z.mp4`, named by their start time in UTC. ffmpeg writes numbered
/// files in `record/.writing`. A file is renamed to its start time while ffmpeg still writes it, since ffmpeg may use a
/// number again after a disk error. A finished recording is synced and moved to `record`, never over another. Retention
/// deletes only files in `record` that are named by a start time.
package struct RecordingFolder: Sendable {
    private let path: String
    let folder: Folder
    let writing: FFmpegFolder
    private let retention: RecordingRetention
    private let isServed: Bool
    /// Finished recordings, oldest first.
    private(set) var recordings: [Recording] = []
    /// Renamed files in `.writing`, in the order of their creation; names may be out of order after a clock step.
    private var growing: [Growing] = []
    /// The wall-clock time of the stream's timestamp 0 in this run of ffmpeg.
    private var streamStart: Timestamp?

    /// The retention setting that is so tight that no finished recording stays; nil where none is.
    package var tooTight: Setting<Int?>? {
        if let maxBytes = retention.maxBytes, let last = lastFinished, last > maxBytes / 2 { return Key.recordMaxBytes }
        return retention.minFree != nil && lastFinished != nil && recordings.isEmpty ? Key.recordMinFree : nil
    }
    /// The size in bytes of the recording that was finished last.
    private var lastFinished: Int?

    /// The file that is being written, and its playable bytes at the last check.
    private var lastSize: (name: String, bytes: Int)?

    struct Recording: Equatable, Sendable {
        var name: RecordingName
        var bytes: Int
    }

    private struct Growing: Sendable {
        var name: RecordingName
        /// ffmpeg's name of it; nil for a file that an earlier process renamed.
        var numbered: NumberedName?
        /// Its start by the stream's time; nil until the segment list tells it.
        var begin: Timestamp?
        /// Whether finishing it failed at least once.
        var hasFailed = false
    }

    /// Opens the folder, and finishes what an earlier run or a power cut left in `.writing`.
    /// - Parameter isServed: whether the web front may read finished recordings.
    package init(_ path: String, retention: RecordingRetention, isServed: Bool = false) throws(Failure) {
        self.path = path
        self.retention = retention
        self.isServed = isServed
        do throws(SystemError) {
            let folder = try Folder(path, creating: 0o755)
            self.folder = folder
            writing = try FFmpegFolder(path + "/.writing")
            folder.handle.setFrontAccess(isServed)
            recordings = try folder.names().compactMap(RecordingName.init).sorted().compactMap { name in
                size(of: name.text, in: folder).map { Recording(name: name, bytes: $0) }
            }
        } catch {
            throw cannotWrite(path, error)
        }
        // The setting may have changed since these files were written.
        for recording in recordings where isServed {
            try? folder.open(recording.name.text, O_RDONLY).shareWithFront()
        }
        finish(all: true)
    }

    /// Finishes all recordings but the newest, or `all` once ffmpeg has ended. A recording that can't be finished now,
    /// e.g. because of a disk error, stays in `.writing` and is tried again.
    /// - Returns: whether any was finished.
    @discardableResult
    package mutating func finish(all: Bool) -> Bool {
        guard let present = try? writing.folder.names() else { return false }
        nameNew(present)
        let done = all ? growing[...] : growing.dropLast()
        if !done.isEmpty { takeTimes() }
        let finished = growing.prefix(done.count).map { (recording: $0, outcome: finish($0)) }
        var failed = finished.filter { $0.outcome == .failed }.map(\.recording)
        for index in failed.indices { failed[index].hasFailed = true }
        growing = failed + growing.dropFirst(done.count)
        if all { for name in present where SegmentList.isOne(name) { writing.folder.remove(name) } }
        return finished.contains { $0.outcome == .moved }
    }

    /// A run of ffmpeg begins, whose `streamStart` isn't known yet.
    mutating func begin() { streamStart = nil }

    /// - Parameter streamStart: the wall-clock time of the stream's timestamp 0; nil where unknown.
    mutating func setStreamStart(_ streamStart: Timestamp?) { self.streamStart = streamStart ?? self.streamStart }

    /// Renames the files that ffmpeg has begun since the last call.
    private mutating func nameNew(_ present: [String]) {
        growing.removeAll { !present.contains($0.name.text) }
        let known = growing.map(\.name)
        growing += present.compactMap(RecordingName.init).sorted().filter { !known.contains($0) }.map {
            Growing(name: $0)
        }
        for numbered in present.compactMap(NumberedName.init).sorted() {
            let begin = shim_birth_or_modification_time(writing.folder.descriptor, numbered.text)
            guard begin >= 0 else { continue }
            let name = free(Timestamp(milliseconds: begin), after: growing.last?.name, in: writing.folder)
            guard (try? writing.folder.rename(numbered.text, to: name.text)) != nil else { continue }
            // ffmpeg has begun to count anew, so a name in its segment list no longer says which file is meant.
            if let last = growing.last?.numbered, numbered <= last { writing.folder.remove(SegmentList.name(last.run)) }
            growing.append(Growing(name: name, numbered: numbered))
        }
    }

    /// Takes each recording's start from ffmpeg's segment list.
    private mutating func takeTimes() {
        guard let streamStart, let run = growing.last?.numbered?.run,
            let bytes = try? writing.folder.open(SegmentList.name(run), O_RDONLY).readAll(limit: 1 << 16)
        else { return }
        for row in SegmentList.rows(String(decoding: bytes, as: UTF8.self)) {
            if let index = growing.lastIndex(where: { $0.numbered == row.name }) {
                growing[index].begin = streamStart.advanced(byMilliseconds: row.begin)
            }
            // A recording that was cut off has no line of its own: it begins where the one before it ends.
            if let index = growing.lastIndex(where: { $0.numbered?.text == row.name.next }) {
                growing[index].begin = growing[index].begin ?? streamStart.advanced(byMilliseconds: row.end)
            }
        }
    }

    /// The start by the file's creation time, or by the stream's time where the file was created late.
    private func begin(of recording: Growing) -> Timestamp {
        let created = recording.name.begin
        let begin = recording.begin ?? created
        return created.milliseconds - begin.milliseconds > Self.tolerance ? begin : created
    }

    /// How far the position that ffmpeg reports may be behind, in milliseconds.
    private static let tolerance = 2000

    /// A name that isn't taken. Its copy number is higher than that of the `last` one if both begin in the same second.
    private func free(_ begin: Timestamp, after last: RecordingName?, in folder: Folder) -> RecordingName {
        var name = RecordingName(begin: begin)
        if let last, last.begin == name.begin { name.copy = last.copy + 1 }
        while folder.status(name.text) != nil { name.copy += 1 }
        return name
    }

    /// Whether the playable part has grown since the last call. The file's size isn't enough: on a full disk ffmpeg
    /// writes a header each second.
    mutating func takeGrowth() -> Bool {
        guard let name = growing.last?.name.text, let file = try? writing.folder.open(name, O_RDONLY) else {
            return false
        }
        let known = lastSize.flatMap { $0.name == name ? $0.bytes : nil } ?? 0
        guard let bytes = FragmentedMP4.wholeLength(of: file, known: known) else { return false }
        lastSize = (name, bytes)
        return bytes > known
    }

    /// How finishing a recording ended: moved to `record`, deleted as nothing in it is playable, or failed for now.
    private enum Finish { case moved, dropped, failed }

    private mutating func finish(_ recording: Growing) -> Finish {
        let name = recording.name.text
        guard let file = try? writing.folder.open(name, O_RDWR) else {
            return writing.folder.status(name) == nil ? .dropped : .failed
        }
        guard let length = FragmentedMP4.wholeLength(of: file) else { return .failed }
        guard length > 0 else { return writing.folder.remove(name) ? .dropped : .failed }
        // Cut at the end of the last whole fragment; an incomplete one follows where ffmpeg was killed.
        guard retrying({ ftruncate(file.descriptor, off_t(length)) }) == 0, (try? file.sync()) != nil else {
            return .failed
        }
        if isServed { file.shareWithFront() }
        let target = free(begin(of: recording), after: recording.hasFailed ? nil : recordings.last?.name, in: folder)
        guard (try? writing.folder.rename(name, to: target.text, in: folder)) != nil else { return .failed }
        try? folder.sync()
        // A recording that was finished only on a retry may be older than those that were added meanwhile.
        let position = recording.hasFailed ? recordings.firstIndex { $0.name > target } : nil
        recordings.insert(Recording(name: target, bytes: length), at: position ?? recordings.endIndex)
        lastFinished = length
        return .moved
    }

    /// Removes from the list a recording whose file was deleted elsewhere.
    package mutating func forget(_ name: String) { recordings.removeAll { $0.name.text == name } }

    /// Deletes the oldest recordings beyond retention. The recording that is being written counts with the size of the
    /// newest one.
    /// - Returns: the number of deleted recordings.
    @discardableResult
    package mutating func applyLimits(now: Timestamp) -> Int {
        var total = recordings.reduce(recordings.last?.bytes ?? 0) { $0.adding($1.bytes) }
        var (kept, rest): ([Recording], ArraySlice<Recording>) = ([], recordings[...])
        while let oldest = rest.first, isBeyond(oldest, total: total, now: now) {
            rest.removeFirst()
            total -= oldest.bytes
            // If one can't be removed, keep it in the list and go on with the next.
            if !folder.remove(oldest.name.text), errno != ENOENT { kept.append(oldest) }
        }
        let deleted = recordings.count - kept.count - rest.count
        if deleted > 0 { recordings = kept + rest }
        return deleted
    }

    private func isBeyond(_ recording: Recording, total: Int, now: Timestamp) -> Bool {
        if let maxBytes = retention.maxBytes, total > maxBytes { return true }
        if let maxAge = retention.maxAge,
            now.milliseconds - recording.name.begin.milliseconds > Int64(maxAge.milliseconds)
        {
            return true
        }
        if let minFree = retention.minFree, let free = freeBytes(path), free < minFree { return true }
        return false
    }
}

/// The size in bytes; nil where the name isn't a regular file.
private func size(of name: String, in folder: Folder) -> Int? {
    folder.status(name).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
}
