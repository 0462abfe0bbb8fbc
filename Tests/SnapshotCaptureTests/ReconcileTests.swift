import SnapshotState
import TestKit
import Testing

@testable import SnapshotCapture

@Suite struct ReconcileTests {
    private func record(captures: Int, uploads: Int, spool: Int, dropped: Int = 0) -> Record {
        let now = Now(wall: systemClock.wall(), up: 1, boot: "b")
        var record = Record(version: "1", camera: "c", now: now, intervalSeconds: 10)
        (record.totalCaptures, record.totalUploads, record.lastNumber) = (captures, uploads, captures)
        (record.spool.count, record.spool.dropped) = (spool, dropped)
        return record
    }

    private func names(_ numbers: ClosedRange<Int>) -> [SpoolName] { numbers.map { SpoolName(number: $0, bytes: 10) } }

    private func isConsistent(_ record: Record) -> Bool {
        record.totalCaptures == record.totalUploads + record.spool.count + record.spool.dropped
    }

    @Test func killedAfterSpooling() {
        var it = record(captures: 5, uploads: 3, spool: 2)
        it.reconcile(with: names(4...6))
        #expect(it.totalCaptures == 6 && it.failedUploads == 1 && it.spool.count == 3 && it.lastNumber == 6)
        #expect(isConsistent(it))
    }

    @Test func killedWhileDraining() {
        var it = record(captures: 5, uploads: 0, spool: 5)
        it.reconcile(with: names(4...5))
        #expect(it.totalUploads == 3 && it.spool.bytes == 20 && isConsistent(it))
    }

    @Test func killedBeforeGivingUp() {
        var it = record(captures: 5, uploads: 0, spool: 3, dropped: 2)
        it.reconcile(with: names(2...5))
        #expect(it.spool.dropped == 1 && it.spool.count == 4 && isConsistent(it))
    }

    @Test func aRemovalThatTheDiskForgot() {
        var it = record(captures: 5, uploads: 5, spool: 0)
        it.reconcile(with: names(4...5))
        #expect(it.totalUploads == 3 && it.spool.count == 2 && isConsistent(it))
    }

    @Test func namesSortByNumberAndCarryTheirSize() {
        #expect(SpoolName("000000000012-345.jpg") == SpoolName(number: 12, bytes: 345))
        #expect(SpoolName(number: 1234, bytes: 9).folder == "000000000001")
        for text in [
            "", "12-345.jpg", "000000000012-.jpg", "000000000012-345", "00000000001a-1.jpg", "000000000000-1.jpg",
        ] {
            #expect(SpoolName(text) == nil)
        }
    }
}
