import Glibc
import SnapshotBase
import SnapshotStore

/// One output's folder: opens it, watches it while ffmpeg writes, and reopens it when its disk was away. Only the
/// folder's own thread uses it, since any call may hang.
struct FolderUpkeep<Files: OutputFiles>: Sendable {
    typealias Verdict = FolderWatch.Verdict

    /// A request to the folder's thread.
    enum Step: Sendable {
        /// A run of ffmpeg, identified by its start time, begins to write into that folder.
        case begin(Timestamp, Folder)
        /// Check the folder. `flows`: whether media flows; `origin`: the time at which the stream's time was zero.
        case look(flows: Bool, origin: Timestamp?)
        case end
    }

    /// The result of a step.
    struct Report: Sendable {
        /// The folder that ffmpeg may write into; nil while there is none, or its disk is full.
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
    private let memory: OutputFolderMemory
    private let open: @Sendable () throws(Failure) -> Files
    private var files: Files?
    private var watch: FolderWatch
    /// Whether an ffmpeg runs that was given this folder, or an earlier one at the same path.
    private var isGiven = false
    /// Whether an ffmpeg runs that was given this very folder.
    private var isLive = false
    /// After a full disk, the bytes that must be free before ffmpeg gets the folder again; nil otherwise.
    private var roomNeeded: Int?
    private var last: FolderTrouble?
    /// When a restart of ffmpeg was last requested.
    private var asked: Uptime?

    /// How long to wait for a requested restart before requesting it again.
    private static var timeout: Duration { .seconds(30) }

    /// - Parameter open: opens the output's files, and creates what is missing.
    init(
        _ path: String, memory: OutputFolderMemory, watch: FolderWatch,
        open: @escaping @Sendable () throws(Failure) -> Files
    ) {
        (self.path, self.memory, self.watch, self.open) = (path, memory, watch, open)
    }

    mutating func take(_ step: Step, now: Uptime) -> Report {
        var report = Report()
        switch step {
        case .begin(let run, let folder):
            // The folder at the path may have been replaced since; ffmpeg has to be restarted then.
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
            try reopen()
            // Don't open it while that ffmpeg runs: opening finishes files that it may still write.
            if isGiven { return flows ? ask(now) : nil }
        }
        guard var files = self.files else { return nil }
        defer { self.files = files }
        // Growth doesn't count while the disk is still full: a little space may have been freed and used up at once.
        let grew = files.update(now: now, origin: origin) && !(last == .full && isFull(path))
        files.retain(now: now)
        if isLive {
            guard flows else { return nil }
            return watch.look(now: now, grew: grew) { files.output.trouble(probing: $0) }
        }
        if roomNeeded == nil, isFull(path) { roomNeeded = Self.room(behind: 0) }
        if let roomNeeded, freeBytes(path) ?? 0 < roomNeeded { return .trouble(.full) }
        roomNeeded = nil
        // Without media nothing is written, so an output that was stuck can't be reported as working.
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
            // Open the folder for the next ffmpeg.
            try reopen()
            return nil
        }
        let wasFull = isFull(path)
        files?.end(now: now)
        guard wasFull else { return nil }
        // Truncating files just freed a little space, which the next ffmpeg would fill at once.
        roomNeeded = Self.room(behind: freeBytes(path) ?? 0)
        return .trouble(.full)
    }

    private static func room(behind free: Int) -> Int { max(1 << 20, free.times(2)) }

    /// Opens the folder. Where its disk isn't mounted it throws instead of creating the folder on another disk.
    private mutating func reopen() throws(FolderFault) {
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
