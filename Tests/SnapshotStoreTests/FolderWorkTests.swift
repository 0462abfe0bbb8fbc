import Glibc
import SnapshotBase
import SnapshotSettings
import Synchronization
import TestKit
import Testing

@testable import SnapshotStore

@Suite struct FolderWorkTests {
    /// Checks that run side by side do so: each removes the folders that it made.
    @Test func aFolderThatSomebodyElseRemovesIsMadeAgain() throws {
        let folder = try TemporaryFolder()
        let top = folder.path
        let work = FolderWork(
            try FilesystemSettings(
                Settings(environment: ["LOCAL_STORAGE_PATH": top + "/pictures"], path: "/dev/null")),
            statePath: top)
        let isOver = Mutex(false)
        // There are fewer removals for each file than attempts to write it, however slow the disk is.
        let removals = Mutex(0)
        let path = top + "/pictures/front/2026/picture.jpg"
        let thread = try #require(
            startThread {
                while !isOver.withLock({ $0 }) {
                    var empty = parentDirectory(path)
                    while empty != top {
                        removals.withLock { if $0 > 0, removeFolder(empty) { $0 -= 1 } }
                        empty = parentDirectory(empty)
                    }
                    usleep(500)
                }
            })
        defer {
            isOver.withLock { $0 = true }
            pthread_join(thread, nil)
        }
        for number in 0..<200 {
            removals.withLock { $0 = 20 }
            try work.writeFile(.bytes([UInt8(number)]), at: path)
            #expect(try readFile(path, limit: 2) == [UInt8(number)])
            #expect(removeFile(path))
        }
    }
}
