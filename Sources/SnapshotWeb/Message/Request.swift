import NIOHTTP1

/// One request, as much of it as answers depend on.
struct Request {
    let method: HTTPMethod
    let uri: String
    let headers: HTTPHeaders
    /// Whether the socket that it came in by is one that only this machine reaches.
    let hasLocalSocket: Bool
    /// Whether it came to a loopback address.
    let isOverLoopback: Bool
    /// The address at the other end; nil for a unix socket.
    var peer: [UInt8]?
    var source: Source
    /// A proxy that is believed says that it has asked for a login.
    var isIntroduced = false

    /// The value of a header that may stand once; nil where it is missing or repeated.
    func header(_ name: String) -> String? {
        let values = headers[name]
        return values.count == 1 ? values[0] : nil
    }

    /// Whether somebody on this machine asks. A proxy on this machine asks for others, and says so.
    var isLocal: Bool { hasLocalSocket && !isForwarded }

    var isForwarded: Bool {
        headers.contains { name, _ in
            let name = name.lowercased()
            return ["forwarded", "via", "x-real-ip"].contains(name) || name.hasPrefix("x-forwarded-")
        }
    }

    /// The names by which this machine was asked, which may be none: the Host field's, and the target's where it has one.
    var names: [String] { headers["Host"] + [Target.authority(of: uri)].compactMap { $0 } }
}
