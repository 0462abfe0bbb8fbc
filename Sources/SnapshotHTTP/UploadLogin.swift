import SnapshotBase

/// How an HTTP upload logs in with user and password, so that the picture is usually sent only once.
package struct UploadLogin {
    private enum Way: String {
        /// An empty request first, to get the nonce; libcurl sends it where only Digest is allowed.
        case digest
        /// The password in the first request: over TLS, or where the server has asked for Basic before.
        case basic
        /// The body first, and again after the challenge: for a server that rejects the empty request.
        case either
    }

    private var way: Way
    /// The method that worked.
    private var known: Way?
    private let usesTLS: Bool

    /// - Parameter known: the method that worked in an earlier run.
    package init(known: String?, usesTLS: Bool) {
        self.known = known.flatMap(Way.init)
        self.usesTLS = usesTLS
        way = self.known ?? (usesTLS ? .basic : .digest)
    }

    /// The method to remember for the next run.
    package var learned: String? { known?.rawValue }

    package func set(_ credentials: (user: String, password: String), on request: inout HTTPRequest) {
        request.credentials = credentials
        request.needsDigest = way == .digest
        request.sendsBasic = way == .basic
    }

    package mutating func worked(_ response: HTTPResponse) {
        // `either` answers the server's challenge: the one that it offered is what worked.
        known = way == .either ? (response.hasOfferedDigest ? .digest : .basic) : way
    }

    /// Chooses another method after this refusal; returns false where none is worth an attempt.
    package mutating func chooseAnother(after response: HTTPResponse) -> Bool {
        let isRefused = [401, 403].contains(response.status)
        switch way {
        case .basic where isRefused && response.hasOfferedDigest: way = .digest
        // A server that has offered Digest never gets the password itself over plain HTTP.
        case .digest where !response.hasOfferedDigest && (known != .digest || usesTLS) && isRefused: way = .basic
        case .digest where !response.hasOfferedDigest && [400, 411, 415, 422].contains(response.status): way = .either
        case .basic, .digest, .either: return false
        }
        return true
    }
}
