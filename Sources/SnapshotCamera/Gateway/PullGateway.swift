import SnapshotBase
import SnapshotHTTP
import SnapshotMedia
import SnapshotSettings
import Synchronization

/// A camera's stream for ffmpeg and ffprobe. They get a URL on loopback with a secret path, and no login; the gateway
/// verifies TLS, logs in, and follows no redirect.
package final class PullGateway: Sendable {
    /// A stream of a camera, and how to pass it on.
    package struct Stream: Sendable {
        package var camera: CameraSettings
        /// The stream's URL, without user and password.
        package var url: String
        /// How to verify TLS for rtsps://; called before each connection.
        package var trust: @Sendable (HostAndPort, Deadline) throws(Failure) -> TLSTrust
        /// How long the camera may be silent before media flows.
        package var timeout: Duration = .seconds(10)
        /// How long media may accumulate, to be passed on in large writes.
        package var batchTime: Duration = .zero
        package var digest = OfferedDigest()
        /// Whether the session ends when the video's size or encoding changes.
        package var watchesFormat = false

        package init(
            _ camera: CameraSettings, url: String,
            trust: @escaping @Sendable (HostAndPort, Deadline) throws(Failure) -> TLSTrust
        ) {
            self.camera = camera
            self.url = url
            self.trust = trust
        }
    }

    private final class SessionResult: Sendable {
        let failure = Mutex<Failure?>(nil)
        let received = Atomic(0)
    }

    private let gateway: Gateway
    private let result: SessionResult
    /// The input for ffmpeg and ffprobe.
    package let source: RTSPSource
    package let replacement: AddressReplacement

    package init(_ stream: Stream) throws(Failure) {
        let result = SessionResult()
        var destination = Gateway.Destination(
            server: stream.server, timeout: stream.timeout, batchTime: stream.batchTime,
            clock: stream.camera.context.clock,
            connect: { () throws(Failure) in try stream.connect() },
            ended: { ending in result.failure.withLock { $0 = stream.failure(ending) } })
        destination.digest = stream.digest
        destination.transport = stream.transport
        destination.watchesFormat = stream.watchesFormat
        destination.mayBegin = {
            result.failure.withLock { $0 = nil }
            return true
        }
        destination.received = { result.received.wrappingAdd($0, ordering: .relaxed) }
        gateway = try Gateway(path: hexadecimal(Crypto.random(16)), to: destination)
        self.result = result
        source = RTSPSource(url: gateway.localURL, timeout: stream.timeout)
        replacement = AddressReplacement(secret: gateway.localURL, address: redactedURL(stream.url))
    }

    /// Why the last session gave no media, or no more; nil where the camera isn't to blame, and during a session.
    package var failure: Failure? { result.failure.withLock { $0 } }

    /// The number of media bytes that have arrived, over all sessions.
    package var received: Int { result.received.load(ordering: .relaxed) }

    package func stop(grace: Duration) { gateway.stop(grace: grace) }
}

/// Replaces the gateway's URL, which is a secret, by the camera's in text for logs and messages.
package struct AddressReplacement: Sendable {
    let secret: String
    let address: String

    /// `text` with each occurrence of the gateway's URL replaced by the camera's address.
    package func applied(to text: String) -> String {
        var result = ""
        var rest = text[...]
        while let found = rest.range(of: secret) {
            result += rest[..<found.lowerBound] + address
            rest = rest[found.upperBound...]
        }
        return result + rest
    }
}

extension PullGateway.Stream {
    private static let ports: [String: UInt16] = ["rtsp": 554, "rtsps": 322]

    private var parts: (scheme: String, host: String, port: UInt16, target: String) {
        let parts = URLParts(url)
        let authority = parts?.authority ?? ""
        let (host, port) = authority.hasSuffix("]") ? (authority[...], nil) : splitPort(authority)
        return (
            parts?.scheme ?? "rtsp", String(host), port ?? Self.ports[parts?.scheme ?? ""] ?? 554, parts?.target ?? ""
        )
    }

    private func splitPort(_ authority: String) -> (Substring, UInt16?) {
        authority[...].cutAtLast(":").map { ($0, UInt16($1)) } ?? (authority[...], nil)
    }

    /// CAMERA_USE_HTTPS also forbids sending the password in the clear over plain RTSP.
    fileprivate var server: RTSPServer {
        let (scheme, host, port, target) = parts
        return RTSPServer(
            url: "\(scheme)://\(host):\(port)\(target)", user: camera.loginUser, password: camera.password,
            mayUseBasic: scheme == "rtsps" || !camera.useHTTPS)
    }

    /// With rtsps:// media always comes over the TLS connection, since RTP over UDP would not be encrypted.
    fileprivate var transport: RTSPTransport {
        guard parts.scheme != "rtsps" else { return .tcp }
        return switch camera.transport {
        case .auto: .auto
        case .tcp: .tcp
        case .udp: .udp
        }
    }

    fileprivate func connect() throws(Failure) -> any RTSPConnection {
        let deadline = Deadline.after(timeout)
        let host = HostAndPort(tlsURL: url)
        let trust = try host.map { host throws(Failure) in try self.trust(host, deadline) }
        do throws(HTTPFailure) {
            if let host, let trust {
                let handshake = TLSHandshake(host: host, connectTimeout: camera.connectTimeout, deadline: deadline)
                return try TLSConnection(handshake, trust: trust, timeout: timeout)
            }
            let (_, host, port, _) = parts
            let name = percentDecoded(host.filter { $0 != "[" && $0 != "]" }) ?? host
            let socket = try SnapshotMedia.connect(
                to: name, port: port, timeout: camera.connectTimeout, deadline: deadline)
            return PlainConnection(socket, timeout: timeout)
        } catch {
            throw .camera(error, camera, over: "RTSP")
        }
    }

    fileprivate func failure(_ ending: Gateway.Ending) -> Failure? {
        switch ending {
        case .unconnected(let failure): failure
        case .session(let end, _): .rtsp(end, camera, url: url, hasSeenDigest: digest.isSet)
        }
    }
}
