import Glibc

/// How many clients and readers of files there may be at once: as many as are useful, and as fit the descriptors that this
/// process may have.
struct Limits: Equatable {
    let connections: Int
    /// A reader needs a second descriptor, for its file.
    let readers: Int

    private static let mostConnections = 512
    private static let mostReaders = 64
    /// Standard streams, listening sockets, the loop's own, and the files that an answer opens for a moment.
    private static let reserve = 40

    /// - Parameter descriptors: how many may be open at once.
    init(descriptors: Int) {
        let room = max(0, descriptors - Self.reserve)
        readers = min(max(1, room / 8), Self.mostReaders)
        connections = min(max(4, room - readers), Self.mostConnections)
    }

    /// Asks for as many descriptors as are useful, and counts on those that are granted.
    static func granted() -> Limits {
        let useful = rlim_t(mostConnections + mostReaders + reserve)
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return Limits(descriptors: 256) }
        if limit.rlim_cur < useful {
            var wanted = limit
            wanted.rlim_cur = min(useful, limit.rlim_max)
            if setrlimit(resource, &wanted) == 0 { limit = wanted }
        }
        return Limits(descriptors: Int(clamping: limit.rlim_cur))
    }
}
