import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState
import Testing

@testable import SnapshotCapture

/// A state with a spool, gone with the test; and runs on it.
final class SpoolHome {
    let path: String
    private let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: "b")
    private let roomy = Spool.Bounds(maxBytes: 1_000_000, minFree: 0)

    init() throws {
        var template = Array("/tmp/snapshot-spool-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        for name in (try? listDirectory(path)) ?? [] where unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        rmdir(path)
    }

    // MARK: Runs

    func picture(_ byte: UInt8, _ size: Int = 1000) -> [UInt8] { Array(repeating: byte, count: size) }

    private func entry(_ picture: [UInt8]) -> SpoolEntry {
        var entry = SpoolEntry()
        entry.key = "front/\(picture[0])-\(picture.count).jpg"
        entry.length = picture.count
        entry.sha256 = hexadecimal(Crypto.sha256(picture))
        entry.capturedAt = 1_800_000_000_000 + Int64(picture[0])
        return entry
    }

    /// One run's work on the spool; its record is `record`. Returns whether it reaches its end.
    typealias Work = (inout Spool, inout Record, inout StateDirectory) throws -> Bool

    /// - Returns: the record as the run found it, mended.
    @discardableResult
    func run(recounts: Bool = false, _ work: Work = { _, _, _ in true }) throws -> Record {
        var opened = try StateDirectory.open(path)
        guard var state = opened.take() else { throw SystemError("flock") }
        var record = state.last ?? Record(version: "0", camera: "c", now: now, intervalSeconds: 10)
        var spool = Spool(statePath: path, record: &record, recounts: recounts, clock: SystemClock([:]))
        let found = record
        if try work(&spool, &record, &state) { try spool.commit(&record, to: &state) }
        return found
    }

    /// Adds a picture as a run does that couldn't upload it.
    func add(
        _ picture: [UInt8], _ spool: inout Spool, _ record: inout Record, _ state: inout StateDirectory,
        within bounds: Spool.Bounds? = nil
    ) throws {
        let before = record
        record.totalCaptures += 1
        record.failedUploads += 1
        record.lastNumber += 1
        _ = try spool.add(
            entry(picture), picture, number: record.lastNumber, within: bounds ?? roomy, before: before, to: &state)
    }

    func fill(_ bytes: ClosedRange<UInt8>) throws {
        for byte in bytes {
            try run { spool, record, state in
                try self.add(self.picture(byte), &spool, &record, &state)
                return true
            }
        }
    }

    var entries: [SpoolName] {
        get throws {
            var folder = SpoolFolder(statePath: path)
            return try folder.list()
        }
    }

    var isMarked: Bool { fileExists(path + "/spool/dirty") }

    /// What must hold of every record that a run finds.
    func expectTruth(_ record: Record) throws {
        let entries = try entries
        #expect(record.spool.count == entries.count)
        #expect(record.spool.bytes == entries.reduce(0) { $0 + $1.bytes })
        #expect(record.totalCaptures == record.totalUploads + record.spool.count + record.spool.dropped)
    }
}
