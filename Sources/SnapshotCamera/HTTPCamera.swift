import SnapshotBase
import SnapshotHTTP

/// Any camera that answers a GET with a JPEG; Basic or Digest, whichever it asks for.
struct HTTPCamera: Camera {
    let settings: CameraSettings
    let url: String
    let client: HTTPClient
    let trust: CameraTrust

    /// Host and port, however they were written.
    private var host: String? {
        URLParts(url).flatMap { TLSHost($0.authority, defaultPort: $0.scheme == "https" ? 443 : 80) }?.description
    }

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        var request = HTTPRequest("GET", url, deadline: deadline)
        request.maximumBody = settings.maxBytes
        request.credentials = settings.login.map { ($0, settings.password) }
        request.needsDigest = host != nil && memory.digestHost == host
        let response = try client.ask(request, of: settings, trust)
        if response.hasOfferedDigest {
            memory.digestHost = host
        } else if request.needsDigest, response.status == 401 {
            throw Failure(
                .camera(.credentials), "camera refuses login", settings.address,
                why: "it has offered a Digest login before, and now asks for the password itself",
                hint: "somebody may be in between; if you have switched Digest off in the camera, remove "
                    + "\(CameraMemory.fileName) from STATE_PATH")
        }
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        return response.body
    }
}

extension HTTPClient {
    /// One request to a camera: near, so without proxies, and trusted as CAMERA_TLS_VERIFY says.
    package func ask(_ request: HTTPRequest, of settings: CameraSettings, _ trust: CameraTrust) throws(Failure)
        -> HTTPResponse
    {
        var request = request
        request.usesProxy = false
        request.connectTimeout = settings.connectTimeout
        if let host = TLSHost(url: request.url) {
            request.trust = try trust.trust(for: host, deadline: request.deadline)
        }
        do throws(HTTPFailure) { return try perform(request) } catch {
            throw .camera(error, settings, over: request.url.hasPrefix("https:") ? "HTTPS" : "HTTP")
        }
    }
}
