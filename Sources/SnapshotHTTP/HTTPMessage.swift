import SnapshotBase

/// One HTTP request. Values only; `HTTPClient` and `HTTPTransfers` do the work.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Sent as it is: everything that needs it is percent-encoded already.
    package var url: String
    package var headers: [(name: String, value: String)] = []
    package var body: HTTPBody = .none
    package var trust: TLSTrust = .authorities(file: nil)
    package var certificate: ClientCertificate?
    /// For Basic or Digest, whichever the server asks for.
    package var credentials: (user: String, password: String)?
    /// Whether Basic is out of the question: the server has offered Digest before.
    package var needsDigest = false
    /// Whether Basic goes out at once, unasked.
    package var sendsBasic = false
    /// Bytes of the answer's body beyond which the transfer is given up.
    package var maximumBody = 65536
    /// Says where the answer's body ends, beside Content-Length and the connection's end.
    package var reader: (any BodyReader)?
    /// Whether Content-Length is no end: the reader, the connection's end, or a second of silence is.
    package var ignoresLength = false
    package var connectTimeout: Duration = .seconds(5)
    package var deadline: Deadline
    /// For uploads: what counts beside the deadline, which then only says until when they may begin.
    package var timeouts: UploadTimeouts?
    /// How long a stream may stand still before it is given up; whole seconds.
    package var stallTimeout: Duration?
    /// Whether a proxy is used; never for cameras, which are near.
    package var usesProxy = true
    package var proxies = Proxies.environment
    /// Whether an idle connection may be used again.
    package var reusesConnection = true

    package init(_ method: String, _ url: String, deadline: Deadline) {
        self.method = method
        self.url = url
        self.deadline = deadline
    }
}

package enum HTTPBody: Sendable {
    case none
    case bytes([UInt8])
    /// `length` bytes of an open file from `offset`.
    case file(FileHandle, offset: Int, length: Int)
    /// `content`, `.bytes` or `.file`, as base64 between other bytes.
    indirect case base64(before: [UInt8], content: HTTPBody, after: [UInt8])
    /// multipart/form-data: the fields in order, then one file part.
    indirect case form(fields: [(name: String, value: String)], file: FormFile)
    /// Everything that can be read from a pipe until its end, chunked.
    case pipe(FileHandle)

    var isStream: Bool { if case .pipe = self { true } else { false } }

    /// In bytes; 0 where it can't be known before.
    package var length: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(_, _, let length): length
        case .base64(let before, let content, let after): before.count + base64Length(content.length) + after.count
        case .none, .form, .pipe: 0
        }
    }
}

package struct FormFile: Sendable {
    package var field: String
    package var fileName: String
    package var contentType: String
    /// `.bytes` or `.file`.
    package var content: HTTPBody

    package init(field: String, fileName: String, contentType: String, content: HTTPBody) {
        self.field = field
        self.fileName = fileName
        self.contentType = contentType
        self.content = content
    }
}

/// Whom to believe in TLS.
package enum TLSTrust: Equatable, Sendable {
    /// Certificate authorities: those in `file`, else the system's.
    case authorities(file: String?)
    /// One public key, `sha256//BASE64`, whatever the certificate says.
    case pin(String)
    /// Anybody.
    case anybody
    /// Anybody, and in any version of TLS: for cameras that know no better, where nobody is told from another anyway.
    case anything
}

package struct HTTPResponse: Sendable {
    package var status = 0
    /// By lower-case name; the last of equal ones.
    package var headers = Named<String>()
    package var body: [UInt8] = []
    /// Whether the server has asked for a Digest login on the way to this answer.
    package var hasOfferedDigest = false
    /// What the answer itself asks for: the values of `WWW-Authenticate`.
    package var challenges: [String] = []
    /// Whether libcurl has answered a challenge.
    package var hasAnsweredChallenge = false
    /// The server's clock, from `Date`; nil where it says nothing credible.
    package var date: Timestamp?
    /// When it came, by our clock; the body may take its time.
    package var dateCame: Timestamp?
}

/// What a request came to.
package enum HTTPAnswer: Sendable {
    /// Of any status.
    case response(HTTPResponse)
    case none(HTTPFailure)

    /// Our own rather than `Result`: making sense of a generic type costs a run as much memory as its picture.
    init(_ body: () throws(HTTPFailure) -> HTTPResponse) {
        do throws(HTTPFailure) { self = .response(try body()) } catch { self = .none(error) }
    }
}

/// A request without an answer.
package struct HTTPFailure: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        case unresolved, unreachable, timedOut, tls, pinMismatch
        /// What answered a TLS greeting isn't TLS.
        case noTLS
        /// It speaks only versions of TLS that are no longer trusted.
        case oldTLS
        /// Nobody took the connection in time.
        case unconnected
        /// The answer ended before its announced length.
        case cutShort
        /// The answer's body is over the limit.
        case tooLarge
        /// The answer is one that never ends.
        case endless
        /// The client's certificate: it can't be used, or the server refuses it, or wants one.
        case certificate
        /// It doesn't take the credentials, and has no answer that says so.
        case refused
        /// The connection broke, or what came isn't HTTP.
        case lost
        /// The request can't be made: a URL or a file that is no good.
        case invalid
        /// libcurl isn't there or doesn't start.
        case noLibrary

        package static let libraryHint = "install libcurl, on Debian: apt install libcurl4"
    }

    package var kind: Kind
    /// libcurl's words, or ours.
    package var why: String
    /// Whether the request's body had been sent whole.
    package var bodyWasSent = false
    /// How long nothing had moved when it was given up.
    package var stoodStill: Duration?
    /// Whether the connection stood, and not a line of an answer came.
    package var isUnanswered = false
    /// Whether the handshake began with a session of an earlier run, which is forgotten now, and nothing was asked.
    var hadSession = false
    /// Whether the host is there and has nobody at that port.
    package var isPortClosed = false

    package init(kind: Kind, why: String, stoodStill: Duration? = nil) {
        self.kind = kind
        self.why = why
        self.stoodStill = stoodStill
    }
}

extension HTTPFailure: CustomDebugStringConvertible {
    package var debugDescription: String { "HTTP transfer \(kind)" + (why.isEmpty ? "" : ", \(why)") }
}
