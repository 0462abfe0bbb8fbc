import Glibc
import SnapshotBase

/// How many connections, and how many readers of files among them, there may be at once. The process's limit of file
/// descriptors bounds both.
struct Limits: Equatable {
    let connections: Int
    /// A reader needs a second descriptor, for its file.
    let readers: Int

    private static let mostConnections = 512
    private static let mostReaders = 64
    /// Descriptors for standard streams, listening sockets, the event loop, and files that are open briefly for a
    /// response.
    private static let reserve = 40

    /// - Parameter descriptors: how many may be open at once.
    init(descriptors: Int) {
        let room = max(0, descriptors - Self.reserve)
        readers = min(max(1, room / 8), Self.mostReaders)
        connections = min(max(4, room - readers), Self.mostConnections)
    }

    /// Raises the limit of descriptors as far as is useful and permitted, and derives the limits from the result.
    static func granted() -> Limits {
        raise(to: rlim_t(mostConnections + mostReaders + reserve))
        return Limits(descriptors: openFiles() ?? 256)
    }

    private static func raise(to useful: rlim_t) {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < useful else { return }
        limit.rlim_cur = min(useful, limit.rlim_max)
        setrlimit(resource, &limit)
    }

    /// The limit of open files, read from /proc: the unit forbids `prlimit`, which could also raise the limit.
    private static func openFiles() -> Int? {
        guard let bytes = try? readFile("/proc/self/limits", limit: 65536) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let words = lines.first { $0.hasPrefix("Max open files") }?.split(separator: " ") ?? []
        guard words.count > 3 else { return nil }
        return words[3] == "unlimited" ? Int.max : Int(words[3])
    }
}
