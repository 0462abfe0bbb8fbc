import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Checks whether pictures can be stored. What it stores it removes again, where the store allows that.
struct StoreCheck {
    struct Result {
        var findings: [Finding]
        /// The store's clock minus ours, in milliseconds.
        var clockOffset: Int64?
        /// Whether the store has certainly accepted the credentials.
        var isAccepted = false
    }

    let statePath: String
    let now: Now
    let client: HTTPClient
    let deadline: Deadline

    func run(_ kind: any StoreKind) -> Result {
        switch kind.trial {
        case .folder(let settings): return Result(findings: folder(settings))
        case .unread(let failure): return Result(findings: [.failed("storage", failure)])
        case .http(let settings):
            let store = HTTPStore(settings: settings, client: client, record: record)
            var check = HTTPCheck(store: store, capturedAt: now.wall, deadline: deadline)
            let finding = check.run()
            return Result(findings: [finding], clockOffset: check.store.clockOffset)
        case .s3(let settings):
            let store = S3Store(settings: settings, client: client, record: record, now: now, statePath: nil)
            var check = S3Check(store: store, capturedAt: now.wall, deadline: deadline)
            let finding = check.run()
            return Result(
                findings: check.temporaryCredentials() + [finding], clockOffset: check.store.clockOffset,
                isAccepted: finding.result == .passed)
        }
    }

    private var record: Record? {
        if case .record(let found) = StateRing(reading: statePath).content { found } else { nil }
    }

    // MARK: Folder

    /// Takes the steps of a capture, with a file whose name has the length and the characters of a picture's name.
    private func folder(_ settings: FilesystemSettings) -> [Finding] {
        let work = FolderWork(settings, statePath: statePath)
        let path = settings.path
        // Use the code `store-away`, with which captures fail on such a file system.
        if let failure = pseudoFolder(path, .store(.away)) { return [.failed("storage", failure)] }
        let key = settings.template.key(camera: settings.camera, at: now.wall)
        let report: FolderReport
        do throws(StoreFailure) {
            report = try FolderReport.of(work, reaching: work.folder(of: key), until: deadline) { work, say in
                var report = work.probe(key)
                if let reported = report.failure, reported.missingMount == nil {
                    report.hint = hint(for: reported.error, directory: path)
                }
                say(report)
            }
        } catch { return [.failed("storage", error.failure)] }
        if let reported = report.failure {
            var failure = FilesystemStore.failure(reported, path: path).failure
            failure.hint = report.hint ?? failure.hint
            return [.failed("storage", failure)]
        }
        let room = report.free.map { ", \(sizeText($0)) free" } ?? ""
        let text =
            report.isMissing == true
            ? "isn't there yet; the first capture makes it" : "accepted a test file, which was removed again"
        return [.passed("storage", "\(path) \(text)\(room)")] + bounds(settings, report)
    }

    private func bounds(_ settings: FilesystemSettings, _ report: FolderReport) -> [Finding] {
        if report.isFull == true {
            return [
                .remark(
                    "storage",
                    "LOCAL_STORAGE_MIN_FREE or LOCAL_STORAGE_MAX_BYTES can't be met: deleting the pictures that "
                        + "snapshot stored there isn't enough, or the list of them can't be read",
                    hint: "df -h \(settings.path); ls -l \(statePath)/stored*")
            ]
        }
        guard let free = report.free, let wanted = settings.minFree, free < wanted else { return [] }
        return [
            .remark(
                "storage", "less is free than LOCAL_STORAGE_MIN_FREE (\(sizeText(wanted))): old pictures are removed",
                hint: "df -h \(settings.path)")
        ]
    }
}
