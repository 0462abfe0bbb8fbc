import Glibc
import SnapshotBase
import SnapshotStore

/// One output's folder: opens it, watches it while ffmpeg writes, and reopens it when its disk was unmounted. Only the
/// folder's own thread uses it, since any call may hang.
struct FolderUpkeep<Files: OutputFiles>: Sendable {
    typealias Verdict = FolderWatch.Verdict

    /// A request to the folder's thread.
    enum Step: Sendable {
        /// A run of ffmpeg, identified by its start time, begins to write into that folder.
        case begin(Timestamp, Folder)
        /// Check the folder. `flows`: whether media flows; `streamStart`: the wall-clock time of the stream's timestamp
        /// 0.
        case check(flows: Bool, streamStart: Timestamp?)
        case end
    }

    /// The result of a step.
    struct Report: Sendable {
        /// The folder that ffmpeg may write into; nil while there is none, or its disk is full.
        var folder: Folder?
        var verdict: Verdict?
        var failure: FolderFailure?

        fileprivate mutating func judge(_ work: () throws(FolderFailure) -> Verdict?) {
            do throws(FolderFailure) { verdict = try work() } catch {
                verdict = .trouble(error.trouble)
                failure = error
            }
        }
    }

    private let path: String
    private let memory: OutputFolderMemory
    private let open: @Sendable () throws(Failure) -> Files
    private var files: Files?
    private var watch: FolderWatch
    /// Whether the running ffmpeg writes at this path, perhaps into a folder that was replaced since.
    private var isPathInUse = false
    /// Whether the running ffmpeg writes into the folder that `files` has open.
    private var isFolderInUse = false
    /// After a full disk, the bytes that must be free before ffmpeg gets the folder again; nil otherwise.
    private var roomNeeded: Int?
    private var lastTrouble: FolderTrouble?
    /// When a restart of ffmpeg was last requested.
    private var restartRequested: Uptime?

    /// How long to wait for a requested restart before requesting it again.
    private static var timeout: Duration { .seconds(30) }

    /// - Parameter open: opens the output's files, and creates what is missing.
    init(
        _ path: String, memory: OutputFolderMemory, watch: FolderWatch,
        open: @escaping @Sendable () throws(Failure) -> Files
    ) {
        (self.path, self.memory, self.watch, self.open) = (path, memory, watch, open)
    }

    mutating func perform(_ step: Step, now: Uptime) -> Report {
        var report = Report()
        switch step {
        case .begin(let runStart, let folder):
            // The folder at the path may have been replaced since; then ffmpeg has to be restarted.
            isPathInUse = true
            isFolderInUse = files.map { isSame($0.output.folder, folder) } ?? false
            guard isFolderInUse else { break }
            files?.begin(runStart)
            watch.begin()
        case .check(let flows, let start): report.judge { () throws(FolderFailure) in try check(flows, start, now) }
        case .end:
            (isPathInUse, isFolderInUse, restartRequested) = (false, false, nil)
            report.judge { () throws(FolderFailure) in try end(now) }
        }
        switch report.verdict {
        case .trouble(let trouble): lastTrouble = trouble
        case .fine: lastTrouble = nil
        case .restart, nil: break
        }
        report.folder = roomNeeded == nil ? files?.output.folder : nil
        return report
    }

    private mutating func check(_ flows: Bool, _ start: Timestamp?, _ now: Uptime) throws(FolderFailure) -> Verdict? {
        if let files, !files.output.isInPlace {
            self.files = nil
            isFolderInUse = false
        }
        if files == nil {
            try reopen()
            // Opening finishes the files in the folder, so wait until the ffmpeg that may still write them has ended.
            if isPathInUse { return flows ? requestRestart(now) : nil }
        }
        guard var files = self.files else { return nil }
        defer { self.files = files }
        // Growth on a disk that is still full doesn't count: ffmpeg has only used up a little space that was freed.
        let grew = files.update(now: now, streamStart: start) && !(lastTrouble == .full && isFull(path))
        files.applyLimits(now: now)
        if isFolderInUse {
            guard flows else { return nil }
            return watch.check(now: now, grew: grew) { files.output.trouble(probing: $0) }
        }
        if roomNeeded == nil, isFull(path) { roomNeeded = Self.room(after: 0) }
        if let roomNeeded, freeBytes(path) ?? 0 < roomNeeded { return .trouble(.full) }
        roomNeeded = nil
        // Whether an output that was stuck works again shows only while media flows.
        guard flows else { return lastTrouble == .stuck ? nil : .fine }
        return requestRestart(now)
    }

    private mutating func requestRestart(_ now: Uptime) -> Verdict? {
        if let restartRequested, now - restartRequested < Self.timeout { return nil }
        restartRequested = now
        return .restart
    }

    private mutating func end(_ now: Uptime) throws(FolderFailure) -> Verdict? {
        guard files != nil else {
            // Open the folder for the next ffmpeg.
            try reopen()
            return nil
        }
        let wasFull = isFull(path)
        files?.end(now: now)
        guard wasFull else { return nil }
        // The next ffmpeg would fill the little space that `files.end` has just freed by cutting files: require more.
        roomNeeded = Self.room(after: freeBytes(path) ?? 0)
        return .trouble(.full)
    }

    /// How many bytes must be free before a disk that was full is used again, where `free` are free now.
    private static func room(after free: Int) -> Int { max(1 << 20, free.times(2)) }

    /// Opens the folder. While an ffmpeg that was given it still runs, it only checks that the folder can be opened or
    /// is missing. Where the folder's disk isn't mounted it throws, and doesn't create the folder on another disk.
    private mutating func reopen() throws(FolderFailure) {
        let mount: String?
        do throws(SystemError) { mount = try memory.missingMount(on: path) } catch { throw FolderFailure(error, path) }
        if let mount { throw FolderFailure(missingMount: mount) }
        guard !isPathInUse else {
            do throws(SystemError) { _ = try Folder(path) } catch {
                if error.number != ENOENT { throw FolderFailure(error, path) }
            }
            return
        }
        do throws(Failure) { files = try open() } catch { throw FolderFailure(error) }
        memory.rememberMount(of: path)
    }
}
