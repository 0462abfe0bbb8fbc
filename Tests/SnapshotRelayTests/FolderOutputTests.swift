import Glibc
import SnapshotBase
import SnapshotSettings
import Synchronization
import TestKit
import Testing

@testable import SnapshotRelay

/// A disk that hangs while a test says so.
private final class Disk: Sendable {
    private let state = Mutex((isHanging: false, isAccessed: false))

    func hang(_ hangs: Bool) { state.withLock { $0 = (hangs, false) } }

    func access() {
        while state.withLock({ state in
            state.isAccessed = true
            return state.isHanging
        }) { usleep(1000) }
    }

    /// Waits for an access since `hang`.
    func waitForAccess() {
        let deadline = Deadline.after(.seconds(30))
        while !state.withLock({ $0.isAccessed }), !deadline.hasPassed { usleep(1000) }
    }
}

private struct Files: OutputFiles {
    let output: FFmpegFolder
    let disk: Disk

    mutating func begin(_ runStart: Timestamp) {}
    mutating func update(now: Uptime, streamStart: Timestamp?) -> Bool {
        disk.access()
        return true
    }
    mutating func end(now: Uptime) {}
}

@Suite struct FolderOutputTests {
    private let time = TestClock()
    private let disk = Disk()
    private let states = OutputStates()
    private let home: TemporaryFolder

    init() throws { home = try TemporaryFolder() }

    private func output(stallTimeout: String) throws -> FolderOutput<Files> {
        let context = ProcessContext(clock: time.clock)
        let settings = try Settings(
            commandLine: named(["CAMERA_IP": "h", "OUTPUT_DIR": home.path, "STALL_TIMEOUT": stallTimeout]),
            in: context, path: "/dev/null")
        let shared = try SharedOutputSettings(settings, camera: "c")
        let folder = home.path + "/files"
        let upkeep = FolderUpkeep(
            folder, memory: OutputFolderMemory(statePath: home.path, mode: "test"),
            watch: FolderWatch(segmentTime: .seconds(2), stallTimeout: shared.stallTimeout)
        ) { [disk] () throws(Failure) in
            do throws(SystemError) { return Files(output: try FFmpegFolder(folder), disk: disk) } catch {
                throw cannotWrite(folder, error)
            }
        }
        return try FolderOutput(upkeep, shared, states.reporter(of: "test")) { _, folder, _ in
            FFmpegSlave("null", to: .address("-"))
        }
    }

    private var code: String? { states.troubles["test"]?.code }

    @Test(arguments: [20, 45]) func aFolderHangsAfterTheStallTimeout(seconds: Int) throws {
        let output = try output(stallTimeout: "\(seconds)s")
        disk.hang(true)
        defer { disk.hang(false) }
        // This look begins now, and doesn't end.
        #expect(!output.flowed(now: time.clock.up(), media: nil))
        disk.waitForAccess()
        time.advance(by: .seconds(seconds))
        output.tick(now: time.clock.up())
        #expect(code == nil)
        time.advance(by: .milliseconds(1))
        output.tick(now: time.clock.up())
        #expect(code == FolderTrouble.hangs.rawValue)

        disk.hang(false)
        let deadline = Deadline.after(.seconds(30))
        while code != nil, !deadline.hasPassed {
            output.tick(now: time.clock.up())
            usleep(1000)
        }
        #expect(code == nil)
    }
}
