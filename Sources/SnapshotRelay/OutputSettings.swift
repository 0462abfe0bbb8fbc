import SnapshotBase
import SnapshotCore

/// The server that takes an RTSP push.
package struct PushDestination: Equatable, Sendable {
    package var host: String
    package var port: UInt16
    /// From the first slash, query included.
    package var path: String
    package var user: String
    package var password: String

    init(_ settings: Settings) throws(Failure) {
        guard let value = try settings.value(.outputRTSPURL) else {
            throw .settings(
                "OUTPUT_RTSP_URL is not set", why: "STREAM_MODE=republish needs it",
                hint: "set OUTPUT_RTSP_URL=rtsp://server:8554/name")
        }
        guard let url = try settings.url(.outputRTSPURL, schemes: ["rtsp"]), let parts = URLParts(url) else {
            throw settings.refusal(.outputRTSPURL, value, rule: "must be rtsp://[user:password@]host[:port]/path")
        }
        let bracket = parts.authority.lastIndex(of: "]") ?? parts.authority.startIndex
        let colon = parts.authority[bracket...].lastIndex(of: ":")
        host = parts.authority[..<(colon ?? parts.authority.endIndex)].filter { $0 != "[" && $0 != "]" }
        port = colon.flatMap { UInt16(parts.authority[parts.authority.index(after: $0)...]) } ?? 554
        path = parts.target.isEmpty ? "/" : parts.target
        user = parts.user ?? ""
        password = parts.password ?? ""
    }

    /// The address without user and password.
    var url: String { "rtsp://\(host.contains(":") ? "[\(host)]" : host):\(port)\(path)" }
}

/// The server that takes MPEG-TS as one endless POST.
package struct PipeDestination: Sendable {
    package var url: String
    package var credentials: (user: String, password: String)?
    package var token: String?
    package var authorities: String?

    init(_ settings: Settings) throws(Failure) {
        guard let value = try settings.value(.serverURL) else {
            throw .settings(
                "SERVER_URL is not set", why: "STREAM_MODE=pipe needs it",
                hint: "set SERVER_URL=https://server/ingest/name")
        }
        guard let url = try settings.url(.serverURL, schemes: ["http", "https"]), let parts = URLParts(url) else {
            throw settings.refusal(.serverURL, value, rule: "must be http:// or https://, a host and a path")
        }
        self.url = parts.withoutUser
        credentials = parts.user.map { ($0, parts.password ?? "") }
        token = try settings.string(.httpAuthToken)
        authorities = try authorityFile(settings)
    }
}

/// How much recording is kept.
package struct RecordRetention: Equatable, Sendable {
    package var maxBytes: Int?
    package var maxAge: Duration?
    package var minFree: Int?

    package init(maxBytes: Int? = nil, maxAge: Duration? = nil, minFree: Int? = nil) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
        self.minFree = minFree
    }

    /// - Parameter uploads: what waits for the store must not fill the disk, so there is a bound even if none is set.
    init(_ settings: Settings, uploads: Bool) throws(Failure) {
        maxBytes = try settings.size(.recordMaxBytes, default: nil)
        maxAge = try settings.duration(.recordMaxAge, default: nil, in: .seconds(1)...(.seconds(86400 * 36500)))
        minFree = try settings.size(.recordMinFree, default: uploads ? 256 << 20 : nil)
    }
}

/// Where finished segments go.
package struct SegmentUploadSettings: Sendable {
    package var store: StoreSettings
    package var keyTemplate: KeyTemplate
    package var attempts: Int
    package var deadline: Duration

    init(_ settings: Settings) throws(Failure) {
        store = try StoreSettings(settings)
        keyTemplate = try KeyTemplate(settings)
        attempts = try settings.integer(.uploadAttempts, default: 3, in: 1...100) ?? 3
        // A segment is as large as hundreds of pictures.
        deadline =
            try settings.duration(
                .uploadDeadline, default: .seconds(300), in: .milliseconds(100)...(.seconds(86400)))
            ?? .seconds(300)
    }
}
