import SnapshotBase
import SnapshotHTTP

/// How an HTTP upload logs in with user and password, so that its body is sent once.
struct UploadLogin {
    private enum Way: String {
        /// An empty request first, which libcurl sends where Digest alone is wanted; then the nonce is known.
        case digest
        /// Unasked: over TLS, or because the server has asked for it before.
        case basic
        /// The body first and once more after the challenge: for a server that dislikes the empty request.
        case either
    }

    private var way: Way
    /// The one that worked.
    private var known: Way?
    private let isVerified: Bool

    /// - Parameter known: the one that worked in an earlier run.
    init(known: String?, isVerified: Bool) {
        self.known = known.flatMap(Way.init)
        self.isVerified = isVerified
        way = self.known ?? (isVerified ? .basic : .digest)
    }

    /// For the next run.
    var learned: String? { known?.rawValue }

    func set(_ credentials: (user: String, password: String), on request: inout HTTPRequest) {
        request.credentials = credentials
        request.needsDigest = way == .digest
        request.sendsBasic = way == .basic
    }

    mutating func worked(_ response: HTTPResponse) {
        // What was asked of the two is all that was sent.
        known = way == .either ? (response.hasOfferedDigest ? .digest : .basic) : way
    }

    /// Whether another way is worth an attempt after this refusal; then it is the next one's.
    mutating func changes(after response: HTTPResponse) -> Bool {
        let isRefused = [401, 403].contains(response.status)
        switch way {
        case .basic where isRefused && response.hasOfferedDigest: way = .digest
        // Who has offered Digest never gets the password itself over plain http.
        case .digest where !response.hasOfferedDigest && (known != .digest || isVerified) && isRefused: way = .basic
        case .digest where !response.hasOfferedDigest && [400, 411, 415, 422].contains(response.status): way = .either
        case .basic, .digest, .either: return false
        }
        return true
    }
}
