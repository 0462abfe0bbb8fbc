import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// `republish`: an RTSP push to another server.
package struct PushOutput: RelayOutput {
    package static let mode = "republish"
    package static let summary = "RTSP push to OUTPUT_RTSP_URL"

    package var host: String
    package var port: UInt16
    /// The URL's path and query; begins with a slash.
    package var path: String
    package var user: String
    package var password: String
    let clock: SystemClock

    package init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure) {
        guard let url = try settings[Key.outputRTSPURL] else {
            throw .settings(
                "OUTPUT_RTSP_URL is not set", why: "STREAM_MODE=republish needs it",
                hint: "set OUTPUT_RTSP_URL=rtsp://server:8554/name")
        }
        guard let parts = URLParts(url) else {
            throw settings.refusal(Key.outputRTSPURL, rule: "must be rtsp://[user:password@]host[:port]/path")
        }
        let bracket = parts.authority.lastIndex(of: "]") ?? parts.authority.startIndex
        let colon = parts.authority[bracket...].lastIndex(of: ":")
        host = parts.authority[..<(colon ?? parts.authority.endIndex)].filter { $0 != "[" && $0 != "]" }
        port = colon.flatMap { UInt16(parts.authority[parts.authority.index(after: $0)...]) } ?? 554
        path = parts.target.isEmpty ? "/" : parts.target
        user = parts.user ?? ""
        password = parts.password ?? ""
        clock = shared.context.clock
    }

    /// The server's URL without user and password.
    var url: String { "rtsp://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)" }

    package func open(_ reporter: OutputReporter, log: Log) throws(Failure) -> any OpenOutput {
        try PushGateway(self, reporter)
    }

    /// - Parameter gateway: the gateway's URL on loopback.
    static func slave(to gateway: String) -> FFmpegSlave {
        FFmpegSlave("rtsp", [("rtsp_transport", "tcp")], to: .address(gateway))
    }
}

enum PushTrouble: String, TroubleCode {
    case unreachable = "push-unreachable"
    case lost = "push-lost"
    case refused = "push-refused"
    case rejected = "push-rejected"

    var words: String {
        switch self {
        case .unreachable: "the server can't be reached"
        case .lost: "the connection was lost"
        case .refused: "the server refuses the login"
        case .rejected: "the server refuses the stream"
        }
    }

    var hint: String? {
        switch self {
        case .unreachable: "check host and port of OUTPUT_RTSP_URL"
        case .lost: nil
        case .refused:
            "check user and password in OUTPUT_RTSP_URL, then restart the relay, which otherwise waits 10 min or longer"
        case .rejected: "check the path of OUTPUT_RTSP_URL, and that the server takes pushes there"
        }
    }
}
