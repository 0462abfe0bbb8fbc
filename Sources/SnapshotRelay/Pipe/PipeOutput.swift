import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// `pipe`: MPEG-TS to a server in one endless POST.
package struct PipeOutput: RelayOutput {
    package static let mode = "pipe"
    package static let summary = "MPEG-TS to SERVER_URL"

    package var url: String
    package var credentials: (user: String, password: String)?
    /// The bearer token; nil where none is set.
    package var token: String?
    /// The path of a file with certificate authorities; nil for the system's.
    package var authorities: String?
    package var proxies: Proxies
    package var stallTimeout: Duration
    let context: ProcessContext

    package init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure) {
        guard let url = try settings[Key.serverURL] else {
            throw .settings(
                "SERVER_URL is not set", why: "STREAM_MODE=pipe needs it",
                hint: "set SERVER_URL=https://server/ingest/name")
        }
        guard let parts = URLParts(url) else {
            throw settings.refusal(Key.serverURL, rule: "must be http:// or https://, a host and a path")
        }
        self.url = parts.withoutUser
        credentials = parts.user.map { ($0, parts.password ?? "") }
        token = try settings[Key.httpAuthToken]
        authorities = try authorityFile(settings)
        proxies = try Proxies(settings)
        stallTimeout = shared.stallTimeout
        context = shared.context
    }

    /// The codecs for which MPEG-TS has a stream type; a receiver can't identify others.
    package func carries(_ codec: String) -> Bool { ["h264", "hevc", "mpeg4", "mpeg2video"].contains(codec) }

    package func open(_ reporter: OutputReporter, log: Log) -> any OpenOutput { PipeUplink(self, reporter) }

    static let slave = FFmpegSlave("mpegts", to: .standardOutput)
}

enum PipeTrouble: String, TroubleCode {
    case unreachable = "pipe-unreachable"
    case lost = "pipe-lost"
    case refused = "pipe-refused"
    case ended = "pipe-ended"
    case tls = "pipe-tls"

    var words: String {
        switch self {
        case .unreachable: "the server can't be reached"
        case .lost: "the connection was lost"
        case .refused: "the server refuses the credentials"
        case .ended: "the server ended the request"
        case .tls: "no TLS connection: the port speaks no TLS, or the server's certificate isn't trusted"
        }
    }

    var hint: String? {
        switch self {
        case .unreachable: "check SERVER_URL"
        case .lost: nil
        case .refused:
            "check HTTP_AUTH_TOKEN or SERVER_URL's login, then restart the relay, which otherwise waits 10 min or longer"
        case .ended: "the server's log says why; SERVER_URL has to accept an endless POST"
        case .tls: "check the port of SERVER_URL; for an authority of your own set SSL_CERT_FILE"
        }
    }
}
