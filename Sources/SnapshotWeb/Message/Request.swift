import NIOHTTP1

/// One request, as much of it as answers depend on.
struct Request {
    let method: HTTPMethod
    let uri: String
    let headers: HTTPHeaders
    /// Whether it came in by a socket that only this machine reaches.
    let isLocal: Bool

    /// The value of a header that may stand once; nil where it is missing or repeated.
    func header(_ name: String) -> String? {
        let values = headers[name]
        return values.count == 1 ? values[0] : nil
    }
}
