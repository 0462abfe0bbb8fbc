import Glibc
import SnapshotBase
import SnapshotState
import Testing

@testable import SnapshotCapture

/// Transactions of a spool that come to their end, and what the disk refuses them.
@Suite struct SpoolTests {
    private let home: SpoolHome

    init() throws { home = try SpoolHome() }

    // MARK: Whole transactions

    @Test func whatIsCommittedIsFound() throws {
        try home.fill(1...3)
        #expect(!home.isMarked)
        let record = try home.run { spool, record, _ in
            let first = try #require(try home.entries.first)
            let opened = try spool.open(first)
            let found = try #require(opened)
            let size = try found.file.status().st_size
            #expect(size > 1000 && found.entry.key == "front/1-1000.jpg")
            record.totalUploads += spool.remove(first) ? 1 : 0
            return true
        }
        #expect(
            record.spool.count == 3 && record.spool.oldest?.at == Timestamp(milliseconds: 1_800_000_000_001).iso8601)
        let after = try home.run()
        try home.expectTruth(after)
        #expect(after.spool.oldest?.at == Timestamp(milliseconds: 1_800_000_000_002).iso8601 && !home.isMarked)
    }

    @Test func aRunThatChangesNothingMarksNothing() throws {
        try home.run()
        #expect(!fileExists(home.path + "/spool"))
        try home.fill(1...1)
        try home.run { _, _, _ in
            #expect(!home.isMarked)
            return true
        }
    }

    @Test func aFullSpoolGivesUpItsOldest() throws {
        try home.fill(1...3)
        try home.run { spool, record, state in
            try home.add(home.picture(4), &spool, &record, &state, within: Spool.Bounds(maxBytes: 3500, minFree: 0))
            return true
        }
        let record = try home.run()
        try home.expectTruth(record)
        #expect(try home.entries.map(\.number) == [2, 3, 4])
        #expect(record.spool.dropped == 1 && record.spool.lastDrop != nil)
    }

    @Test(arguments: [1, 3])
    func aNumberThatIsTakenCostsNoPictureAndNoCount(known: UInt8) throws {
        try home.fill(1...known)
        unlink(home.path + "/state.jsonl")
        // The new state can't be told what is there, and begins with the first number again.
        try FileHandle(opening: home.path + "/spool/000000000007", O_WRONLY | O_CREAT, mode: 0o600).write([1])
        try home.run(recounts: true) { spool, record, state in
            try home.add(home.picture(9), &spool, &record, &state)
            return true
        }
        unlink(home.path + "/spool/000000000007")
        let record = try home.run()
        #expect(try home.entries.map(\.number) == Array(1...Int(known) + 1))
        try home.expectTruth(record)
        #expect(record.totalCaptures == Int(known) + 1 && record.totalUploads == 0)
    }

    @Test func aPictureThatIsTooLargeIsRefusedAndNothingElseGoes() throws {
        try home.fill(1...2)
        #expect(throws: Failure.self) {
            try home.run { spool, record, state in
                try home.add(
                    home.picture(3, 4000), &spool, &record, &state, within: Spool.Bounds(maxBytes: 3500, minFree: 0))
                return true
            }
        }
        #expect(try home.entries.count == 2 && !home.isMarked)
    }

    // MARK: What the disk refuses

    @Test func aRecordThatCannotBeWrittenLeavesTheMark() throws {
        try home.fill(1...1)
        #expect(throws: Failure.self) {
            try home.run { spool, record, state in
                try home.add(home.picture(2), &spool, &record, &state)
                record.camera = String(repeating: "x", count: 5000)
                return true
            }
        }
        #expect(home.isMarked)
        let record = try home.run()
        try home.expectTruth(record)
        #expect(record.totalCaptures == 2)
    }

    @Test func anEntryThatStaysIsCountedOn() throws {
        try home.fill(1...2)
        let name = try #require(try home.entries.first)
        let file = "\(home.path)/spool/\(name.folder)/\(name.text)"
        unlink(file)
        mkdir(file, 0o700)
        try home.run { spool, _, _ in
            let isGone = spool.remove(name)
            let count = spool.figures.count
            #expect(!isGone && count == 2)
            return true
        }
    }

    @Test func aSpoolThatCannotBeListedKeepsItsFiguresAndItsMark() throws {
        try home.fill(1...2)
        try FileHandle(opening: home.path + "/spool/000000000007", O_WRONLY | O_CREAT, mode: 0o600).write([1])
        var lastReported: SystemError?
        do {
            var opened = try StateDirectory.open(home.path)
            guard var state = opened.take(), var record = state.last else { throw SystemError("open") }
            let spool = Spool(statePath: home.path, record: &record, recounts: true, clock: SystemClock([:])) {
                lastReported = $0
            }
            #expect(record.spool.count == 2)
            try spool.commit(&record, to: &state)
        }
        #expect(lastReported?.number == ENOTDIR && home.isMarked)
        unlink(home.path + "/spool/000000000007")
        try home.expectTruth(try home.run())
        #expect(!home.isMarked)
    }
}
