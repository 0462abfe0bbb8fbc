import Glibc
import SnapshotBase
import SnapshotState

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

    func run(_ settings: StoreSettings) -> Result {
        switch settings {
        case .filesystem(let it): return Result(findings: folder(it))
        case .http(let it): return endpoint(it)
        case .s3(let it):
            let content = StateRing(reading: statePath).content
            var record: Record?
            if case .record(let found) = content { record = found }
            let offset = record.map { CaptureClock.offset(at: now, $0.clock, keeper: CaptureClock.keeper()) } ?? 0
            let store = S3Store(settings: it, client: client, learned: record?.region, clockOffset: offset)
            var check = S3Check(store: store, deadline: deadline)
            let finding = check.run()
            return Result(
                findings: [finding], clockOffset: check.store.clockOffset, isOpen: finding.mark == .passed)
        }
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
            var failure = FilesystemStore.failure(error, path: path)
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

    // MARK: HTTP

    /// A POST can't be taken back, so only questions are asked.
    private func endpoint(_ settings: HTTPStoreSettings) -> Result {
        let place = redactedURL(settings.url)
        do throws(HTTPFailure) {
            let head = try ask("HEAD", settings)
            let offset = head.clockOffset
            if (200...299).contains(head.status) {
                return Result(findings: [answers(place, "HEAD", head)], clockOffset: offset)
            }
            if head.status == 401 || (300...399).contains(head.status) || head.status >= 500, head.status != 501 {
                return Result(findings: [refusal(head, place)], clockOffset: offset)
            }
            // What takes a POST alone answers 403, 404 or 405 to a HEAD.
            let options = try ask("OPTIONS", settings)
            let allows = options.headers["allow"] ?? options.headers["access-control-allow-methods"] ?? ""
            if head.status == 405 || allows.uppercased().contains("POST") {
                return Result(
                    findings: [answers(place, allows.isEmpty ? "HEAD" : "OPTIONS", options)], clockOffset: offset)
            }
            return Result(findings: [doubt(head, place)], clockOffset: offset)
        } catch {
            let failure = StoreFailure(error, place: place, setting: "HTTP_UPLOAD_URL").failure
            return Result(findings: [.failed("storage", failure)])
        }
    }

    private func ask(_ method: String, _ settings: HTTPStoreSettings) throws(HTTPFailure) -> HTTPResponse {
        var request = HTTPRequest(method, settings.url, deadline: deadline.sooner(.seconds(6)))
        request.trust = .authorities(file: settings.authorities)
        request.credentials = settings.credentials
        if let token = settings.token { request.headers.append(("Authorization", "Bearer \(token)")) }
        return try client.perform(request)
    }

    private func answers(_ place: String, _ method: String, _ response: HTTPResponse) -> Finding {
        .passed(
            "storage",
            "\(place) answers \(method) with \(response.status); only a picture can show that it takes one, and none was sent",
            facts: ["status": .integer(response.status)])
    }

    private func refusal(_ response: HTTPResponse, _ place: String) -> Finding {
        let setting = response.status == 401 ? "HTTP_AUTH_TOKEN" : "HTTP_UPLOAD_URL"
        var failure = StoreFailure(
            status: response.status, response, place: place, setting: setting, detail: "to a HEAD"
        ).failure
        if response.status == 401 { failure.hint = "check \(setting)" }
        return .failed("storage", failure)
    }

    private func doubt(_ response: HTTPResponse, _ place: String) -> Finding {
        .remark(
            "storage",
            "\(place) answers HTTP status \(response.status) to a HEAD: the path may be wrong, or take POST alone",
            hint: "snapshot capture   # sends one picture, to be sure")
    }
}
