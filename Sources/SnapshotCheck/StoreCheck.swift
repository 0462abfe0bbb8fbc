import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Whether pictures can be put where they should end up, found out without leaving anything there.
struct StoreCheck {
    struct Result {
        var findings: [Finding]
        /// The store's clock minus ours, in milliseconds.
        var clockOffset: Int64?
        /// Whether it took the credentials, beyond doubt.
        var isOpen = false
    }

    let statePath: String
    let now: Now
    let client: HTTPClient
    let deadline: Deadline

    func run(_ kind: any StoreKind) -> Result {
        switch kind.trial {
        case .folder(let it): return Result(findings: folder(it))
        case .http(let it):
            let store = HTTPStore(settings: it, client: client, record: record)
            var check = HTTPCheck(store: store, capturedAt: now.wall, deadline: deadline)
            let finding = check.run()
            return Result(findings: [finding], clockOffset: check.store.clockOffset)
        case .s3(let it):
            let store = S3Store(settings: it, client: client, record: record, now: now)
            var check = S3Check(store: store, capturedAt: now.wall, deadline: deadline)
            let finding = check.run()
            return Result(
                findings: [finding], clockOffset: check.store.clockOffset, isOpen: finding.mark == .passed)
        }
    }

    private var record: Record? {
        if case .record(let found) = StateRing(reading: statePath).content { found } else { nil }
    }

    // MARK: Folder

    private func folder(_ settings: FilesystemSettings) -> [Finding] {
        let path = settings.path
        let probe = path + "/.snapshot-check-" + hexadecimal(Crypto.random(4))
        let free = freeBytes(nearestDirectory(path))
        let room = free.map { ", \(sizeText($0)) free" } ?? ""
        var findings: [Finding]
        do throws(SystemError) {
            if try DirectoryProbe(path) == .missing {
                findings = [.passed("storage", "\(path) isn't there yet; the first capture makes it\(room)")]
            } else {
                try writeDurably([Array("probe\n".utf8)], to: probe, temporary: probe + ".new", mode: 0o600)
                guard removeFile(probe) else { throw SystemError("unlink") }
                findings = [.passed("storage", "\(path) took a probe, which is removed\(room)")]
            }
        } catch {
            var failure = FilesystemStore.failure(error, path: path).failure
            failure.hint = hint(for: error, directory: path)
            return [.failed("storage", failure)]
        }
        if let free, let wanted = settings.minFree, free < wanted {
            findings.append(
                .remark(
                    "storage",
                    "less is free than LOCAL_STORAGE_MIN_FREE (\(sizeText(wanted))): old pictures are removed",
                    hint: "df -h \(path)"))
        }
        return findings
    }
}
