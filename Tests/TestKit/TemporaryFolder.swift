import Glibc
import SnapshotBase

/// A folder of one test's own, gone with it.
package final class TemporaryFolder {
    package let path: String

    package init() throws {
        var template = Array("/tmp/snapshot-test-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("mkdtemp") }
        path = String(cString: made)
    }

    deinit { remove(path) }

    package func write(_ name: String, _ bytes: [UInt8] = []) throws {
        try FileHandle(opening: "\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).write(bytes)
    }

    package func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    package func text(_ name: String) throws -> String {
        String(decoding: try readFile("\(path)/\(name)", limit: 1 << 20), as: UTF8.self)
    }

    package func size(_ name: String) throws -> Int { try readFile("\(path)/\(name)", limit: 1 << 20).count }

    /// The files' names, sorted.
    package func names(_ folder: String = "") throws -> [String] { try listDirectory("\(path)/\(folder)").sorted() }

    private func remove(_ path: String) {
        for name in (try? listDirectory(path)) ?? [] {
            if unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }
}
