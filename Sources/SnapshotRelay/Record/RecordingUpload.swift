import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore
import Synchronization

/// Uploads finished recordings in a thread of its own, one at a time, oldest first, and removes each once the store has
/// acknowledged it. A recording that the store doesn't accept stays until retention deletes it.
final class RecordingUpload: Sendable {
    private struct Shared {
        var uploaded: [String] = []
        /// Weak, so that a disk that was unmounted isn't kept busy.
        weak var folder: Folder?
    }

    private let settings: RecordingUploadSettings
    private let camera: String
    private let statePath: String
    private let reporter: OutputReporter
    private let log: Log
    private let shared = Mutex(Shared())

    /// - Parameter statePath: the relay's own directory, so that its ledger is separate from that of pictures.
    init(
        _ settings: RecordingUploadSettings, camera: String, statePath: String, _ reporter: OutputReporter, log: Log
    ) {
        self.settings = settings
        self.camera = camera
        self.statePath = statePath
        self.reporter = reporter
        self.log = log
    }

    /// The file names of recordings that were uploaded and removed since the last call.
    func takeUploaded() -> [String] {
        shared.withLock { shared in
            defer { shared.uploaded = [] }
            return shared.uploaded
        }
    }

    /// Uploads recordings of that folder from now on. After a disk was mounted again, its path leads to another folder.
    func use(_ folder: Folder) { shared.withLock { $0.folder = folder } }

    /// Starts the thread, which runs until the program ends.
    func start() {
        _ = detach { [self] in
            try? makeDirectory(statePath, mode: 0o700)
            let client = HTTPClient(settings.context, rate: settings.rate)
            client.uploadTimeouts = settings.timeouts
            var store = settings.store.open(
                client: client, record: nil, now: settings.context.clock.now(), statePath: statePath)
            var quota = Record.fullRetryQuota
            var (backoff, holdOffs, processes) = (Backoff.retry, Backoff.holdOff, Backoff.credentialProcess)
            var rejections = Backoff.retry
            var last: StoreFailure?
            while true {
                var wait = backoff.first
                var isRejected = false
                let folder = shared.withLock { $0.folder }
                for name in waiting(in: folder) {
                    do throws(StoreFailure) {
                        try upload(name, in: folder, into: &store, quota: &quota)
                        backoff.reset()
                        holdOffs.reset()
                        processes.reset()
                        // One recording that the store rejects, beside others that it takes, is no outage.
                        if let outage = last, outage.scope != .object {
                            log.write(.notice, "recordings are stored again")
                            last = nil
                        }
                    } catch {
                        if last?.failure.code != error.failure.code { log.report(error.failure) }
                        last = error
                        // A failure that concerns this recording alone doesn't delay the others; it is retried later.
                        if error.scope == .object {
                            isRejected = true
                            continue
                        }
                        wait =
                            switch error.failure.kind {
                            case .storeRefused where error.failure.code == .store(.credentialProcess): processes.next()
                            case .storeRefused: holdOffs.next()
                            case .usage, .settings, .camera, .cameraRefused, .state, .store, .spool:
                                max(backoff.next(), error.retryAfter ?? .zero)
                            }
                        break
                    }
                }
                if isRejected { wait = max(wait, rejections.next()) } else { rejections.reset() }
                sleep(wait, until: .after(wait))
            }
        }
    }

    private func waiting(in folder: Folder?) -> [RecordingName] {
        ((try? folder?.names()) ?? []).compactMap(RecordingName.init).sorted()
    }

    private func upload(
        _ name: RecordingName, in folder: Folder?, into store: inout any Store, quota: inout Int
    ) throws(StoreFailure) {
        // Retention may have deleted it meanwhile.
        guard let file = try? folder?.open(name.text, O_RDONLY), let facts = try? file.status(),
            facts.st_mode & S_IFMT == S_IFREG,
            let digest = Crypto.sha256(of: file.descriptor, offset: 0, length: Int(facts.st_size))
        else { return }
        var object = StoredObject(
            key: key(of: name), content: .file(file, offset: 0, length: Int(facts.st_size)), contentType: "video/mp4",
            capturedAt: name.begin, camera: camera, sha256: hexadecimal(digest), clock: .trusted)
        var attempts = Attempts(RetryPolicy(attempts: settings.attempts, deadline: .after(settings.deadline)))
        defer { reporter.uses(store.credentials) }
        try putWithRetries(&object, into: &store, &attempts, quota: &quota, stop: settings.context.stop)
        folder?.remove(name.text)
        shared.withLock { $0.uploaded.append(name.text) }
    }

    /// The recording's key: that of a picture taken at its start, with the extension `.mp4`.
    private func key(of name: RecordingName) -> String {
        // Recordings that begin in the same second get different milliseconds.
        let begin = name.begin.advanced(byMilliseconds: Int64(name.copy - 1))
        let key = settings.keyTemplate.key(camera: camera, at: begin)
        return (key.hasSuffix(".jpg") ? String(key.dropLast(4)) : key) + ".mp4"
    }
}
