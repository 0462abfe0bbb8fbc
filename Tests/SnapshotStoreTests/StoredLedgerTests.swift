import Glibc
import SnapshotBase
import SnapshotSettings
import TestKit
import Testing

@testable import SnapshotStore

@Suite struct StoredLedgerTests {
    private let folder: TemporaryFolder
    private let ledger: StoredLedger
    private var settings: FilesystemSettings

    init() throws {
        folder = try TemporaryFolder()
        ledger = StoredLedger(statePath: folder.path)
        let pictures = folder.path + "/pictures"
        try makeDirectory(pictures, mode: 0o700)
        settings = try FilesystemSettings(
            Settings(environment: ["LOCAL_STORAGE_PATH": pictures], path: "/dev/null"))
    }

    private func store(_ key: String, _ bytes: Int, daysOld days: Int = 0) throws {
        try write(key, bytes, daysOld: days)
        try note(key, bytes)
    }

    private func write(_ key: String, _ bytes: Int, daysOld days: Int = 0) throws {
        let path = "\(settings.path)/\(key)"
        try makeDirectory(parentDirectory(path), mode: 0o700)
        try folder.write("pictures/\(key)", [UInt8](repeating: 7, count: bytes))
        let then = time(nil) - days * 86_400
        var times = [timeval(tv_sec: then, tv_usec: 0), timeval(tv_sec: then, tv_usec: 0)]
        #expect(utimes(path, &times) == 0)
    }

    private func note(_ key: String, _ bytes: Int) throws {
        _ = try ledger.direct.add(key: key, bytes: bytes, time: 0, replacing: nil)
    }

    /// Whether anything was deleted.
    private func retain(keeping key: String) throws -> Bool {
        var retention = try Retention(ledger, settings, keeping: key)
        try retention.run()
        return retention.hasDeleted
    }

    private func has(_ key: String) -> Bool { fileExists("\(settings.path)/\(key)") }
    private func having(_ keys: String...) -> [String] { keys.filter(has) }

    // MARK: What goes

    @Test mutating func theOldestGoFirst() throws {
        for key in ["a", "b", "c", "d"] { try store(key, 100) }
        settings.maxBytes = 250
        #expect(try retain(keeping: "d"))
        #expect(having("a", "b", "c", "d") == ["c", "d"])
        #expect(try !retain(keeping: "d"), "that was enough")
        try store("e", 100)
        #expect(try retain(keeping: "e"))
        #expect(having("c", "d", "e") == ["d", "e"])
    }

    @Test mutating func theOneThatWasJustStoredStays() throws {
        try store("a", 100)
        settings.maxBytes = 1
        #expect(try !retain(keeping: "a"))
        #expect(has("a"))
    }

    @Test mutating func theOldGoAndTheYoungStay() throws {
        for (key, days) in [("a", 40), ("b", 31), ("c", 29), ("d", 0)] { try store(key, 10, daysOld: days) }
        settings.maxAge = .seconds(30 * 86_400)
        #expect(try retain(keeping: "d"))
        #expect(having("a", "b", "c", "d") == ["c", "d"])
    }

    @Test mutating func emptiedFoldersGoAndTheRootStays() throws {
        try store("2026/01/a", 10)
        try store("2026/02/b", 10)
        settings.maxBytes = 10
        #expect(try retain(keeping: "2026/02/b"))
        #expect(!has("2026/01") && has("2026/02/b"))
        try store("c", 10)
        #expect(try retain(keeping: "c"))
        #expect(!has("2026") && has("c"))
    }

    @Test mutating func withoutBoundsNothingGoes() throws {
        try store("a", 100, daysOld: 4000)
        #expect(try !retain(keeping: "b") && has("a"))
    }

    // MARK: What stays

    @Test mutating func whatOthersPutThereIsNeverTouched() throws {
        try write("foreign", 1000, daysOld: 400)
        try store("replaced", 100)
        try write("replaced", 99)
        try store("link", 100)
        try write("target", 100)
        unlink("\(settings.path)/link")
        #expect(symlink("target", "\(settings.path)/link") == 0)
        try store("last", 10)
        settings.maxBytes = 10
        _ = try retain(keeping: "last")
        #expect(having("foreign", "replaced", "target", "last") == ["foreign", "replaced", "target", "last"])
        var facts = stat()
        #expect(lstat("\(settings.path)/link", &facts) == 0)
    }

    @Test(arguments: ["../outside", "x/../../outside", "./../outside"])
    mutating func noLineLeadsOutOfTheFolder(_ key: String) throws {
        try folder.write("outside", [UInt8](repeating: 1, count: 100))
        try makeDirectory(settings.path + "/x", mode: 0o700)
        try note(key, 100)
        try store("a", 10)
        settings.maxBytes = 1
        _ = try retain(keeping: "a")
        #expect(fileExists(folder.path + "/outside") && has("a"))
    }

    @Test(arguments: [
        "\n", "garbage\n", "-5 a\n", "+5 a\n", "٥ a\n", "99999999999999999999 a\n", "9223372036854775807 a\n", "100\n",
        "100 \n", " a\n", "\0\0\0\n", "999999999999999 x\n999999999999999 y\n",
    ])
    mutating func aDamagedLineCostsNoOther(_ line: String) throws {
        try folder.write("stored.log", line)
        try store("a", 100)
        try store("b", 100)
        settings.maxBytes = 100
        _ = try retain(keeping: "b")
        #expect(having("a", "b") == ["b"])
    }

    @Test mutating func aLineThatWasCutIsNotRead() throws {
        try store("a", 100)
        try folder.write("stored.log", try folder.text("stored.log") + "100 a")
        settings.maxBytes = 100
        _ = try retain(keeping: "b")
        #expect(has("a"), "it is counted once")
    }

    // MARK: How far it has come

    @Test(arguments: [
        "", "garbage", "1 2 3", "-1 -1 -1 -1 -4\n", "0 0 0 0 0\n",
        "9223372036854775807 9223372036854775807 9223372036854775807 9223372036854775807 -4\n",
    ])
    mutating func aHeadThatCannotBeTrueIsCountedAnew(_ head: String) throws {
        for key in ["a", "b", "c"] { try store(key, 100) }
        settings.maxBytes = 1000
        _ = try retain(keeping: "c")
        try folder.write("stored.head", head)
        settings.maxBytes = 200
        #expect(try retain(keeping: "c"))
        #expect(having("a", "b", "c") == ["b", "c"])
    }

    @Test func aLineIsTakenBack() throws {
        try note("a b", 12)
        let begin = try ledger.direct.add(key: "é", bytes: 3, time: 5, replacing: nil)
        #expect(try begin == 9 && folder.text("stored.log") == "12@0 a b\n3@5 é\n")
        ledger.direct.takeBack(begin)
        #expect(try folder.text("stored.log") == "12@0 a b\n")
    }

    @Test mutating func theLogLosesItsDeadPart() throws {
        // 20,000 lines of 60 bytes are more than 1 MiB.
        let gone = (0..<20_000).map { "10 \(String(repeating: "g", count: 50))\(100_000 + $0)\n" }.joined()
        try folder.write("stored.log", gone)
        try store("a", 100)
        settings.maxBytes = 1000
        _ = try retain(keeping: "a")
        #expect(try folder.text("stored.log") == "100@0 a\n" && has("a"))
        try store("b", 950)
        #expect(try retain(keeping: "b"))
        #expect(having("a", "b") == ["b"], "the count goes on in the new log")
    }
}
