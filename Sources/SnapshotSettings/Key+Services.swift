import SnapshotBase

/// Settings of the state, of its monitoring, and of `snapshot-web`.
extension Key {
    package static let statePath = Setting(
        "STATE_PATH", .path, otherwise: "$STATE_DIRECTORY, else ./state",
        "The folder of state, spool, session token and pinned TLS keys.")
    package static let pingURL = Setting(
        "PING_URL", .webURL, secrecy: .urlWithSecretPath,
        "A service that raises an alarm when requests stop, such as healthchecks.io; it gets one a minute at most.")
    package static let healthCheckPort = Setting(
        "HEALTH_CHECK_PORT", .number(0...65535), default: 8080, "The port of a `snapshot-web` started by hand.")
    package static let healthCheckAddress = Setting(
        "HEALTH_CHECK_ADDRESS", .form("IP address"), default: "127.0.0.1",
        secrecy: .open, "Where a `snapshot-web` started by hand listens; 0.0.0.0 or [::] is everywhere.")
    package static let webTrustProxy = Setting(
        "WEB_TRUST_PROXY", .form("IP addresses, networks or unix, with commas between"),
        secrecy: .open,
        "Proxies whose X-Forwarded-For and login (X-Forwarded-User, Remote-User) `snapshot-web` believes.")
    package static let webEmbedOrigins = Setting(
        "WEB_EMBED_ORIGINS", .form("origins such as https://home.example:8123, with commas between"),
        secrecy: .open, "Sites that may frame the pages of `snapshot-web` and show its pictures.")
    package static let webImages = Setting(
        "WEB_IMAGES", .flag, default: false, "Whether `snapshot-web` shows pictures, streams and recordings.")
    package static let webToken = Setting(
        "WEB_TOKEN", .text, secrecy: .secret, "The password that `snapshot-web` asks for before it shows pictures.")

    static let state = [
        statePath.declaration, pingURL.declaration, healthCheckPort.declaration,
        healthCheckAddress.declaration, webTrustProxy.declaration, webEmbedOrigins.declaration, webImages.declaration,
        webToken.declaration,
    ]
}

/// Settings of the video relay.
extension Key {
    package static let streamMode = Setting(
        "STREAM_MODE", .form("republish, hls, record or pipe, or several with commas between"),
        secrecy: .open,
        "What the relay does with the video: republish pushes it by RTSP, hls serves it, record keeps it, pipe posts it."
    )
    package static let streamSource = Setting(
        "STREAM_SOURCE", .choice, default: CameraStream.main, "The stream that the relay takes from a Reolink camera.")
    package static let streamAudio = Setting(
        "STREAM_AUDIO", .choice, default: StreamAudio.auto, "Whether the relay keeps sound.")
    package static let outputRTSPURL = Setting(
        "OUTPUT_RTSP_URL", .rtspURL, secrecy: .url, "Where `republish` pushes the video.")
    package static let outputDirectory = Setting(
        "OUTPUT_DIR", .path, default: "./stream_output", "The folder of HLS and recordings.")
    package static let serverURL = Setting("SERVER_URL", .webURL, secrecy: .url, "Where `pipe` posts the video.")
    package static let segmentTime = Setting(
        "SEGMENT_TIME", .duration(.seconds(1)...(.seconds(86400))), default: .seconds(60), "The length of a recording.")
    package static let hlsSegmentTime = Setting(
        "HLS_SEGMENT_TIME", .duration(.seconds(1)...(.seconds(60))), default: .seconds(4),
        "The length of an HLS segment.")
    package static let recordMaxBytes = Setting(
        "RECORD_MAX_BYTES", .size, "How much recordings may take; the oldest go first.")
    package static let recordMaxAge = Setting(
        "RECORD_MAX_AGE", .duration(.seconds(1)...(.seconds(86400 * 36500))), "How long recordings are kept.")
    package static let recordMinFree = Setting(
        "RECORD_MIN_FREE", .size, otherwise: "none; 256M with RECORD_UPLOAD",
        "How much stays free on the disk; the oldest recordings go first.")
    package static let recordUpload = Setting(
        "RECORD_UPLOAD", .flag, default: false, "Whether each finished recording moves into the store.")
    package static let stallTimeout = Setting(
        "STALL_TIMEOUT", .duration(.seconds(2)...(.seconds(600))), default: .seconds(20),
        "How long the relay waits for video before it connects again; over 90s it needs a longer WatchdogSec=.")

    static let relay = [
        streamMode.declaration, streamSource.declaration, streamAudio.declaration, outputRTSPURL.declaration,
        outputDirectory.declaration, serverURL.declaration, segmentTime.declaration, hlsSegmentTime.declaration,
        recordMaxBytes.declaration, recordMaxAge.declaration, recordMinFree.declaration, recordUpload.declaration,
        stallTimeout.declaration,
    ]
}
