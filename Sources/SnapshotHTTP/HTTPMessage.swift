import SnapshotBase

/// One HTTP request, to be performed by `HTTPClient` or `HTTPTransfers`.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Sent unchanged, so it must already be percent-encoded.
    package var url: String
    package var headers: [(name: String, value: String)] = []
    package var body: HTTPBody = .none
    package var trust: TLSTrust = .authorities(file: nil)
    package var certificate: ClientCertificate?
    /// The login for Basic or Digest, whichever the server requests.
    package var credentials: (user: String, password: String)?
    /// Whether the login may be by Digest only, which sends no password in the clear.
    package var needsDigest = false
    /// Whether a Basic login is sent immediately, without waiting for a challenge.
    package var sendsBasic = false
    /// The largest response body in bytes; a larger one ends the transfer.
    package var maximumBody = 65536
    /// Detects the end of the response's body, in addition to Content-Length and the end of the connection.
    package var reader: (any BodyReader)?
    /// Whether to ignore Content-Length: then the reader ends the body, or the end of the connection, or a second of
    /// silence once as many bytes as announced have come.
    package var ignoresLength = false
    package var connectTimeout: Duration = .seconds(5)
    package var deadline: Deadline
    /// Limits for uploads. If set, `deadline` bounds when the upload begins and, with `uploadDeadline`, how long its
    /// response is awaited.
    package var timeouts: UploadTimeouts?
    /// How long a stream may stall before it is given up; in whole seconds.
    package var stallTimeout: Duration?
    /// The proxies that may be used; nil for cameras, which are on the local network.
    let proxies: Proxies?
    /// Whether an idle connection may be reused.
    package var reusesConnection = true
    /// Whether a TLS session of an earlier run may be resumed.
    var mayResumeTLS = true

    package init(_ method: String, _ url: String, through proxies: Proxies?, deadline: Deadline) {
        self.method = method
        self.url = url
        self.proxies = proxies
        self.deadline = deadline
    }

    /// The request to send at once after `failure`, with a full handshake; nil where the failure or the deadline
    /// forbids it.
    func withoutTLSSession(after failure: HTTPFailure) -> HTTPRequest? {
        guard failure.mayRetryWithoutTLSSession, !deadline.hasPassed else { return nil }
        var request = self
        request.mayResumeTLS = false
        return request
    }
}

/// The body of a request.
package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// `length` bytes of an open file from `offset`.
    case file(FileHandle, offset: Int, length: Int)
    /// `content`, which is `.bytes` or `.file`, encoded as base64 between other bytes.
    indirect case base64(before: [UInt8], content: HTTPBody, after: [UInt8])
    /// multipart/form-data: the fields in order, then one file part.
    indirect case form(fields: [(name: String, value: String)], file: FormFile)
    /// Everything that is written into a pipe until its end, in chunked encoding.
    case pipe(FileHandle)

    var isStream: Bool { if case .pipe = self { true } else { false } }

    /// The length in bytes; 0 if it is not known in advance.
    package var length: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, _, let length): length
        case .base64(let before, let content, let after): before.count + base64Length(content.length) + after.count
        case .none, .form, .pipe: 0
        }
    }
}

/// The file part of a multipart form.
package struct FormFile: Sendable {
    package var field: String
    package var fileName: String
    package var contentType: String
    /// The content, `.bytes` or `.file`.
    package var content: HTTPBody

    package init(field: String, fileName: String, contentType: String, content: HTTPBody) {
        self.field = field
        self.fileName = fileName
        self.contentType = contentType
        self.content = content
    }
}

/// How to verify a TLS server.
package enum TLSTrust: Equatable, Sendable {
    /// By certificate authorities: those in `file`, else the system's.
    case authorities(file: String?)
    /// By one public key, `sha256//BASE64`, whatever the certificate says.
    case pin(String)
    /// The server isn't verified.
    case unverified
    /// The server isn't verified, and any version of TLS is accepted, as some cameras support only old ones.
    case unverifiedAnyVersion
}

/// The final response to a request.
package struct HTTPResponse: Sendable {
    package var status = 0
    /// By lower-case name; of several headers with the same name, the last.
    package var headers = NamedValues<String>()
    package var body: [UInt8] = []
    /// Whether the server has offered a Digest login in this or an earlier response.
    package var hasOfferedDigest = false
    /// The values of `WWW-Authenticate` in this response.
    package var challenges: [String] = []
    /// Whether libcurl has answered a challenge with a login.
    package var hasAnsweredChallenge = false
    /// The server's clock, from the `Date` header; nil if that is missing or not credible.
    package var date: Timestamp?
    /// When the header was received, by our clock.
    package var receivedAt: Timestamp?
}

/// The result of a request. A type of our own, as `Result` is generic: its runtime metadata costs a run as much memory
/// as the picture.
package enum HTTPResult: Sendable {
    /// A response of any status.
    case response(HTTPResponse)
    case failure(HTTPFailure)

    /// Runs `body`, and keeps its response or failure.
    init(_ body: () throws(HTTPFailure) -> HTTPResponse) {
        do throws(HTTPFailure) { self = .response(try body()) } catch { self = .failure(error) }
    }
}

/// A request that got no usable response.
package struct HTTPFailure: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        case unresolved, unreachable, timedOut, tls, pinMismatch
        /// The server does not speak TLS on this port.
        case noTLS
        /// The server speaks only versions of TLS that are no longer secure.
        case oldTLS
        /// No connection was established in time.
        case unconnected
        /// The response ended before its announced length.
        case cutShort
        /// The response's body exceeds the limit.
        case tooLarge
        /// The response is an endless stream.
        case endless
        /// The client certificate is unusable, or the server refuses it or requires one.
        case certificate
        /// The server refuses the credentials without a final response.
        case refused
        /// The proxy doesn't lead to the server.
        case proxy
        /// The connection broke, or the response is not HTTP.
        case lost
        /// The request cannot be made, because a URL or a file is invalid.
        case invalid
        /// libcurl is not installed or cannot be initialised.
        case noLibrary

        package static let proxyHint =
            "check HTTPS_PROXY or HTTP_PROXY; a login belongs in it: http://USER:PASSWORD@HOST"
        package static let libraryHint = "install libcurl, on Debian: apt install libcurl4"
    }

    package var kind: Kind
    /// The reason, in libcurl's words or ours.
    package var why: String
    /// Whether a file that the request needs is in a folder that hangs, so that no request was made.
    package var waitedForFile = false
    /// Whether the whole body of the request was sent.
    package var bodyWasSent = false
    /// How long there had been no progress when the transfer was given up.
    package var stalledFor: Duration?
    /// Whether the connection was established but no line of a response was received.
    package var hasNoResponse = false
    /// Whether to send the request again with a full handshake: the server was offered a saved TLS session and didn't
    /// respond, and a repetition does no harm, since the request wasn't sent or is a GET or HEAD. The session has been
    /// removed.
    var mayRetryWithoutTLSSession = false
    /// Whether the host exists but refuses connections to that port.
    package var isPortClosed = false
    /// Whether the response's Content-Length isn't a number.
    package var isAboutLength = false
    /// The setting of the proxy that the request was sent to; nil where the settings name none for its URL.
    package var proxySetting: String?

    package init(kind: Kind, why: String, stalledFor: Duration? = nil, waitedForFile: Bool = false) {
        self.kind = kind
        self.why = why
        self.stalledFor = stalledFor
        self.waitedForFile = waitedForFile
    }

    /// What may be wrong if no connection was made: the proxy, or where there is none, the address in `setting`.
    package func settingToCheck(_ setting: String) -> String {
        proxySetting.map { "\($0), the proxy itself," } ?? setting
    }
}

extension HTTPFailure: CustomDebugStringConvertible {
    package var debugDescription: String { "HTTP transfer \(kind)" + (why.isEmpty ? "" : ", \(why)") }
}
