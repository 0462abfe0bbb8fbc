import SnapshotBase
import SnapshotKeys
import SnapshotSettings

@testable import SnapshotCamera
@testable import SnapshotCapture
@testable import SnapshotHTTP
@testable import SnapshotMedia
@testable import SnapshotState
@testable import SnapshotStore

/// Code that reads bytes that somebody else wrote. It may refuse any bytes, but must neither trap nor return a value
/// that its callers don't expect.
let subjects: [String: @Sendable ([UInt8]) -> Void] = [
    "dotenv": { bytes in
        guard let entries = try? Dotenv.parse(bytes, path: "fuzz.env") else { return }
        for entry in entries {
            expect(entry.value.unicodeScalars.allSatisfy { $0 == "\t" || $0.value >= 32 }, "a control character")
        }
    },
    "settings": { bytes in
        guard let entries = try? Dotenv.parse(bytes, path: "fuzz.env") else { return }
        var values: [String: String] = [:]
        for entry in entries where !entry.key.hasSuffix("_FILE") && entry.key != "CREDENTIALS_DIRECTORY" {
            values[entry.key] = entry.value
        }
        do throws(Failure) {
            let settings = try Settings(environment: NamedValues(values), path: "/dev/null")
            let capture = try CaptureSettings(settings)
            let key = capture.keyTemplate.key(camera: capture.camera.name, at: Timestamp(milliseconds: 0))
            expect(!hasTraversal(key) && !key.hasPrefix("/"), "the key \(key) leaves its place")
            expect(capture.interval > .zero, "an interval of \(capture.interval)")
        } catch {
            expect(error.exitCode == 78, "exit code \(error.exitCode)")
        }
    },
    "jpeg": { bytes in
        guard let picture = try? JPEG(checking: bytes) else { return }
        expect(picture.width > 0 && picture.height > 0, "no size")
        expect(picture.scan.lowerBound > 0 && picture.scan.upperBound <= bytes.count, "a scan outside")
    },
    "state": { bytes in
        // As they are, and with a right checksum, so that the code behind the check is reached, too.
        for content in [bytes, sealed(bytes)] {
            let ring = StateRing(bytes: content, all: true)
            let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: "b")
            let health = Health(ring.content, relay: nil, now: now, interval: 10, camera: "c", version: "0")
            _ = health.summary
            _ = health.reasons.map(health.sentence)
            for record in ring.history {
                var record = record
                record.begin(now: now, version: "0", camera: "c", intervalSeconds: 10, isRepeating: false)
                record.countHour(now: now, captured: true, uploadMilliseconds: 1)
                record.pictures.add(scan: "", bytes: 1, frozenAfter: 12)
                record.reconcile(with: [])
                _ = CaptureClock.time(at: now, record.clock, timeService: .none)
                _ = Pause.holdOff(after: record.holdOffs["store"], settingsHMAC: "", now: now)
                let slot = try? Slot.encode(record)
                expect(slot == nil || slot?.count == Slot.size, "a slot of \(slot?.count ?? 0) bytes")
                if let slot { expect(Slot.decode(slot[...]) != nil, "a record that can't be read again") }
            }
        }
    },
    "s3-error": { bytes in
        let error = S3Error(bytes)
        expect(error.text.unicodeScalars.allSatisfy { $0.value >= 32 }, "a control character")
        expect(error.code.isEmpty == error.text.isEmpty, "an error without text")
    },
    "reolink": { bytes in
        if case .token(let name, let lease) = ReolinkAnswer(bytes) {
            expect(name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a token for no URL")
            expect(lease >= 0 && lease <= 86400, "a lease of \(lease)")
        }
    },
    "url": { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        if let host = urlHost(text) {
            expect(host.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "the host \(host)")
        }
        guard let parts = URLParts(text) else { return }
        expect(!parts.authority.contains("@") && !parts.authority.contains("/"), "the authority \(parts.authority)")
        _ = parts.withoutUser
        _ = parts.hostHeader
        _ = redactedURL(text)
    },
    "spool": { bytes in
        guard let entry = SpoolEntry(line: bytes) else { return }
        expect(entry.length > 0, "an empty picture")
        let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: entry.boot)
        _ = entry.object(.bytes([]), template: template, now: now, clock: ClockFigures())
        if let name = SpoolName(entry.key) { expect(name.text == entry.key, "\(entry.key) is found as \(name.text)") }
    },
    "profile": { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let file = AWSFile(text, path: "")
        let sections = [file.profile("default"), file.credentials(of: "default")].compactMap { $0 }
        expect(sections.flatMap(\.entries).allSatisfy { $0.name == $0.name.lowercased() }, "a name in upper case")
        expect(programWords(text)?.allSatisfy { $0.utf8.count <= text.utf8.count } ?? true, "a word from nowhere")
        if let end = Timestamp(expiration: text) {
            expect(Timestamp(iso8601: end.iso8601) != nil, "an end without text")
        }
    },
]

private let template: KeyTemplate = {
    guard
        let template = try? CaptureSettings(
            Settings(environment: ["CAMERA_IP": "127.0.0.1"], path: "/dev/null")
        ).keyTemplate
    else { preconditionFailure("the standard settings are refused") }
    return template
}()

func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { preconditionFailure(what()) }
}

/// A slot that holds `bytes` as its record, under a checksum that is right.
private func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var body = Array(bytes.prefix(Slot.size - 32))
    if let end = body.firstRange(of: Array(",\"crc\"".utf8)) { body = Array(body[..<end.lowerBound]) }
    let digits = String(crc32(body[...]), radix: 16)
    body += Array(",\"crc\":\"".utf8) + Array(repeating: 48, count: 8 - digits.utf8.count)
    body += Array(digits.utf8) + Array("\"}".utf8)
    return body + Array(repeating: 0x20, count: Slot.size - 1 - body.count) + [0x0A]
}
