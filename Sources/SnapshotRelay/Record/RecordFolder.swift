import CLinux
import Glibc
import SnapshotBase
import SnapshotSettings

/// Recordings: `record/20260121T103045Z.mp4`, named by when they begin, UTC. ffmpeg writes in `record/.writing` and
/// numbers them there; they get their names while it still writes, since it counts anew after a disk that failed. What
/// is finished is synced and moved, never onto another. Retention knows only files with such names.
package struct RecordFolder {
    private let path: String
    private var folder: Folder
    private(set) var writing: OutputFolder
    private let retention: RecordRetention
    private let isServed: Bool
    /// Finished segments, oldest first.
    private(set) var segments: [Segment] = []
    /// What has its name in `.writing`, in the order in which it was begun: the clock may have been set back between two.
    private var growing: [String] = []

    /// The bound that is so tight that nothing that is finished stays.
    package var tooTight: Setting<Int?>? {
        if let maxBytes = retention.maxBytes, let last = lastFinished, last > maxBytes / 2 { return Key.recordMaxBytes }
        return retention.minFree != nil && lastFinished != nil && segments.isEmpty ? Key.recordMinFree : nil
    }
    /// The size of the last segment that was finished.
    private var lastFinished: Int?

    /// What is being written, and how much of it there was when last looked at.
    private var grown: (name: String, bytes: Int)?

    struct Segment: Equatable {
        var name: RecordName
        var bytes: Int
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

    /// From now on whatever their paths lead to.
    mutating func reopen() {
        writing.reopen()
        if let present = try? Folder(path) { folder = present }
    }

    /// Finishes what ffmpeg is done with: all but the newest, or all once it has ended.
    /// - Returns: whether anything was finished.
    @discardableResult
    package mutating func finish(all: Bool) -> Bool {
        nameNew()
        let done = all ? growing[...] : growing.dropLast()
        for name in done { finish(name) }
        growing.removeFirst(done.count)
        return !done.isEmpty
    }

    /// Names what ffmpeg has begun since the last call.
    private mutating func nameNew() {
        let present = (try? writing.folder.names()) ?? []
        growing.removeAll { !present.contains($0) }
        growing += present.compactMap(RecordName.init).sorted().map(\.text).filter { !growing.contains($0) }
        for number in present.compactMap(number(of:)).sorted() {
            let begin = shim_birth_time(writing.folder.descriptor, "\(number).mp4")
            guard begin >= 0 else { continue }
            let name = free(RecordName(begin: Timestamp(milliseconds: begin)), in: writing.folder)
            guard (try? writing.folder.rename("\(number).mp4", to: name.text)) != nil else { continue }
            growing.append(name.text)
        }
    }

    private func number(of name: String) -> Int? {
        guard name.hasSuffix(".mp4"), let number = Int(name.dropLast(4)), name == "\(number).mp4" else { return nil }
        return number
    }

    /// The name, or its next copy that nothing has yet.
    private func free(_ name: RecordName, in folder: Folder) -> RecordName {
        var name = name
        while folder.status(name.text) != nil { name.copy += 1 }
        return name
    }

    /// Whether more has been written since the last call.
    mutating func takeGrowth() -> Bool {
        guard let name = growing.last, let bytes = size(of: name, in: writing.folder), bytes > 0
        else { return false }
        defer { grown = (name, bytes) }
        return grown.map { $0 != (name, bytes) } ?? true
    }

    private mutating func finish(_ name: String) {
        guard let named = RecordName(name), let file = try? writing.folder.open(name, O_RDWR) else { return }
        let length = FragmentedMP4.wholeLength(of: file)
        guard length > 0 else {
            writing.folder.remove(name)
            return
        }
        // Cut at the end of the last whole fragment: what follows it is what ffmpeg was killed over.
        guard retrying({ ftruncate(file.descriptor, off_t(length)) }) == 0, (try? file.sync()) != nil else { return }
        if isServed { file.shareWithFront() }
        let target = free(named, in: folder)
        guard (try? writing.folder.rename(name, to: target.text, in: folder)) != nil else { return }
        try? folder.sync()
        segments.append(Segment(name: target, bytes: length))
        lastFinished = length
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

/// `20260121T103045Z.mp4`, and `20260121T103045Z-2.mp4` for another that begins in the same second.
package struct RecordName: Hashable, Comparable, Sendable {
    package var begin: Timestamp
    package var copy = 1

    init(begin: Timestamp) {
        // To the second, which is all that the name tells.
        self.begin = Timestamp(milliseconds: begin.milliseconds - begin.milliseconds % 1000)
    }

    /// nil for any other name.
    package init?(_ text: String) {
        guard text.hasSuffix(".mp4") else { return nil }
        let stem = Array(text.dropLast(4))
        guard stem.count >= 16, stem.allSatisfy(\.isASCII), stem[8] == "T", stem[15] == "Z" else { return nil }
        func part(_ range: Range<Int>) -> String { String(stem[range]) }
        let iso = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
        guard let begin = Timestamp(iso8601: iso) else { return nil }
        self.begin = begin
        if stem.count > 16 {
            guard stem[16] == "-", let copy = Int(part(17..<stem.count)), (2...9999).contains(copy) else { return nil }
            self.copy = copy
        }
        guard self.text == text else { return nil }
    }

    package var text: String { begin.amzDate + (copy > 1 ? "-\(copy)" : "") + ".mp4" }

    package static func < (left: RecordName, right: RecordName) -> Bool {
        (left.begin, left.copy) < (right.begin, right.copy)
    }
}

/// Nil for what is no file.
private func size(of name: String, in folder: Folder) -> Int? {
    folder.status(name).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
}
