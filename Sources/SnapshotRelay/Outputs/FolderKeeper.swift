import Glibc
import SnapshotBase
import SnapshotStore

/// One output's folder: opened, watched while ffmpeg writes, and opened again when its disk has been away. Only the
/// folder's own thread touches it.
struct FolderKeeper<Files: OutputFiles>: Sendable {
    typealias Verdict = FolderWatch.Verdict

    /// What is to be done.
    enum Step: Sendable {
        /// ffmpeg begins to write into that folder.
        case begin(Timestamp, Folder)
        /// Whether media flows, and at which time the stream's time was zero.
        case look(flows: Bool, origin: Timestamp?)
        case end
    }

    /// What has come of it.
    struct Report: Sendable {
        /// What ffmpeg may write into; nil while there is none, or no room in it.
        var folder: Folder?
        var verdict: Verdict?
        var fault: FolderFault?

        fileprivate mutating func judge(_ work: () throws(FolderFault) -> Verdict?) {
            do throws(FolderFault) { verdict = try work() } catch {
                verdict = .trouble(error.trouble)
                fault = error
            }
        }
    }

    private let path: String
    private let memory: FolderMark
    private let open: @Sendable () throws(Failure) -> Files
    private var files: Files?
    private var watch: FolderWatch
    /// Whether an ffmpeg runs that was given this folder, or one that was in its place before.
    private var isGiven = false
    /// … and whether it is this one.
    private var isLive = false
    /// How much has to be free before ffmpeg gets the folder again, after the disk was full.
    private var roomNeeded: Int?
    private var last: FolderTrouble?
    /// When a new ffmpeg was last asked for.
    private var asked: Uptime?

    /// How long one that was asked for may take to begin.
    private static var timeout: Duration { .seconds(30) }

    /// - Parameter open: opens what is there, and makes what is missing.
    init(_ path: String, memory: FolderMark, watch: FolderWatch, open: @escaping @Sendable () throws(Failure) -> Files)
    {
        (self.path, self.memory, self.watch, self.open) = (path, memory, watch, open)
    }

    mutating func take(_ step: Step, now: Uptime) -> Report {
        var report = Report()
        switch step {
        case .begin(let run, let folder):
            // Another may have taken its place since; then ffmpeg has to begin anew.
            isGiven = true
            isLive = files.map { isSame($0.output.folder, folder) } ?? false
            guard isLive else { break }
            files?.begin(run)
            watch.begin()
        case .look(let flows, let origin): report.judge { () throws(FolderFault) in try look(flows, origin, now) }
        case .end:
            (isGiven, isLive, asked) = (false, false, nil)
            report.judge { () throws(FolderFault) in try end(now) }
        }
        switch report.verdict {
        case .trouble(let trouble): last = trouble
        case .fine: last = nil
        case .restart, nil: break
        }
        report.folder = roomNeeded == nil ? files?.output.folder : nil
        return report
    }

    private mutating func look(_ flows: Bool, _ origin: Timestamp?, _ now: Uptime) throws(FolderFault) -> Verdict? {
        if let files, !files.output.isInPlace {
            self.files = nil
            isLive = false
        }
        if files == nil {
            try settle()
            // Opening it finishes what lies there, which that ffmpeg may still write.
            if isGiven { return flows ? ask(now) : nil }
        }
        guard var files = self.files else { return nil }
        defer { self.files = files }
        // Of a disk that was full a little may have become free, and be full again at once.
        let grew = files.update(now: now, origin: origin) && !(last == .full && isFull(path))
        files.retain(now: now)
        if isLive {
            guard flows else { return nil }
            return watch.look(now: now, grew: grew) { files.output.trouble(probing: $0) }
        }
        if roomNeeded == nil, isFull(path) { roomNeeded = Self.room(behind: 0) }
        if let roomNeeded, freeBytes(path) ?? 0 < roomNeeded { return .trouble(.full) }
        roomNeeded = nil
        // One that doesn't write says nothing of whether it would.
        guard flows else { return last == .stuck ? nil : .fine }
        return ask(now)
    }

    private mutating func ask(_ now: Uptime) -> Verdict? {
        if let asked, now - asked < Self.timeout { return nil }
        asked = now
        return .restart
    }

    private mutating func end(_ now: Uptime) throws(FolderFault) -> Verdict? {
        guard files != nil else {
            // The next ffmpeg can have it.
            try settle()
            return nil
        }
        let wasFull = isFull(path)
        files?.end(now: now)
        guard wasFull else { return nil }
        // What was cut off just now left a little room, in which the next ffmpeg would die again.
        roomNeeded = Self.room(behind: freeBytes(path) ?? 0)
        return .trouble(.full)
    }

    private static func room(behind free: Int) -> Int { max(1 << 20, free.times(2)) }

    /// Opens the folder, unless its disk is away: then nothing is made in its place.
    private mutating func settle() throws(FolderFault) {
        let mount: String?
        do throws(SystemError) { mount = try memory.missingMount(on: path) } catch { throw FolderFault(error, path) }
        if let mount { throw FolderFault(away: mount) }
        guard !isGiven else {
            do throws(SystemError) { _ = try Folder(path) } catch {
                if error.number != ENOENT { throw FolderFault(error, path) }
            }
            return
        }
        do throws(Failure) { files = try open() } catch { throw FolderFault(error) }
        memory.note(path)
    }
}
