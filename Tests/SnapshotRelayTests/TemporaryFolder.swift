import Glibc
import SnapshotBase
import Testing

/// A folder of one test's own, gone with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/snapshot-relay-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit { remove(path) }

    func write(_ name: String, _ bytes: [UInt8] = []) throws {
        try FileHandle(opening: "\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).write(bytes)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func text(_ name: String) throws -> String {
        String(decoding: try readFile("\(path)/\(name)", limit: 1 << 20), as: UTF8.self)
    }

    func size(_ name: String) throws -> Int { try readFile("\(path)/\(name)", limit: 1 << 20).count }

    /// The files' names, sorted.
    func names(_ folder: String = "") throws -> [String] { try listDirectory("\(path)/\(folder)").sorted() }

    private func remove(_ path: String) {
        for name in (try? listDirectory(path)) ?? [] {
            if unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        }
        rmdir(path)
    }
}
