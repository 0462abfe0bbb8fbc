import NIOHTTP1

/// The parts of an HTTP request on which responses depend.
struct Request {
    let method: HTTPMethod
    let uri: String
    let headers: HTTPHeaders
    /// Whether the listening socket can be reached from this machine only.
    let hasLocalSocket: Bool
    /// Whether the connection's local address is a loopback address.
    let isOverLoopback: Bool
    /// The peer's IP address, 4 or 16 bytes; nil for a unix socket.
    var peer: [UInt8]?
    var source: ClientNetwork
    /// Whether a trusted proxy says that the client has logged in.
    var isLoggedIn = false

    /// The value of a header; nil where it is missing or repeated.
    func header(_ name: String) -> String? {
        let values = headers[name]
        return values.count == 1 ? values[0] : nil
    }

    /// Whether the client is on this machine. A proxy on this machine forwards requests of others, which its headers
    /// show.
    var isLocal: Bool { hasLocalSocket && !isForwarded }

    var isForwarded: Bool {
        headers.contains { name, _ in
            let name = name.lowercased()
            return ["forwarded", "via", "x-real-ip"].contains(name) || name.hasPrefix("x-forwarded-")
        }
    }

    /// The host names by which the client addresses this machine: those of the Host field and of an absolute target.
    var names: [String] { headers["Host"] + [Target.authority(of: uri)].compactMap { $0 } }
}
