import SnapshotBase

/// Any camera that answers a GET with a JPEG; Basic or Digest, whichever it asks for.
struct HTTPCamera: Camera {
    let settings: CameraSettings
    let url: String
    let client: HTTPClient
    let trust: CameraTrust

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        var request = HTTPRequest("GET", url, deadline: deadline)
        request.maximumBody = Picture.maximumBytes
        request.credentials = settings.login.map { ($0, settings.password) }
        let response = try client.ask(request, of: settings, trust)
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        return response.body
    }
}

extension HTTPClient {
    /// One request to a camera: near, so without proxies, and trusted as CAMERA_TLS_VERIFY says.
    func ask(_ request: HTTPRequest, of settings: CameraSettings, _ trust: CameraTrust) throws(Failure) -> HTTPResponse
    {
        var request = request
        request.usesProxy = false
        request.connectTimeout = settings.connectTimeout
        if let host = TLSHost(url: request.url) {
            request.trust = try trust.trust(for: host, deadline: request.deadline)
        }
        do throws(HTTPFailure) { return try perform(request) } catch {
            throw .camera(error, settings)
        }
    }
}
