import Glibc
import SnapshotBase
import SnapshotState
import Testing

@testable import SnapshotCapture

/// Transactions that come to no end, and what the next run makes of them.
@Suite struct SpoolKillTests {
    private let home: SpoolHome

    init() throws { home = try SpoolHome() }

    /// Each does a part of a transaction and never commits.
    @Test(arguments: ["mark", "add", "remove", "remove-all", "room", "room-add", "quarantine", "lose"])
    func theNextRunMakesTheRecordTrue(step: String) throws {
        try home.fill(1...3)
        let before = try home.entries
        try home.run { spool, record, state in
            switch step {
            case "add": try home.add(home.picture(4), &spool, &record, &state)
            case "remove": _ = spool.remove(before[0])
            case "remove-all": for name in before { _ = spool.remove(name) }
            case "room":
                // The oldest entry is given up, but then the new picture can't be written.
                mkdir(home.path + "/spool/tmp/000000000004-1000.jpg", 0o700)
                _ = try? home.add(
                    home.picture(4), &spool, &record, &state, within: Spool.Bounds(maxBytes: 3500, minFree: 0))
                rmdir(home.path + "/spool/tmp/000000000004-1000.jpg")
            case "room-add":
                try home.add(home.picture(4), &spool, &record, &state, within: Spool.Bounds(maxBytes: 2500, minFree: 0))
            case "quarantine": spool.quarantine(before[1], Log("test", in: ProcessContext()))
            case "lose": spool.countLost()
            default: try FileHandle(opening: home.path + "/spool/dirty", O_WRONLY | O_CREAT, mode: 0o600).write([])
            }
            return false
        }
        #expect(home.isMarked == (step != "lose"))
        let record = try home.run()
        try home.expectTruth(record)
        #expect(!home.isMarked)
        let (uploads, dropped): (Int, Int) =
            switch step {
            case "remove": (1, 0)
            case "remove-all": (3, 0)
            case "room": (0, 1)
            case "room-add": (0, 2)
            // Counted as uploaded: what was put aside before a kill can't be told from what was sent.
            case "quarantine": (1, 0)
            default: (0, 0)
            }
        #expect((record.totalUploads, record.spool.dropped) == (uploads, dropped))
        #expect(record.totalCaptures == (["add", "room-add"].contains(step) ? 4 : 3))
        // A second count gives the same result.
        #expect(try home.run(recounts: true).spool == record.spool)
    }

    @Test func aKillBetweenRecordAndMarkChangesNothing() throws {
        try home.fill(1...2)
        _ = try FileHandle(opening: home.path + "/spool/dirty", O_WRONLY | O_CREAT, mode: 0o600)
        let record = try home.run()
        try home.expectTruth(record)
        #expect((record.totalCaptures, record.totalUploads) == (2, 0) && !home.isMarked)
    }

    @Test func whatAKilledRunLeftHalfWrittenGoes() throws {
        try home.fill(1...1)
        try FileHandle(opening: home.path + "/spool/tmp/half", O_WRONLY | O_CREAT, mode: 0o600).write([1, 2, 3])
        try home.run()
        #expect(try listDirectory(home.path + "/spool/tmp") == [])
    }
}
