import SnapshotBase

/// Any camera that answers a GET with a JPEG; Basic or Digest, whichever it asks for.
struct HTTPCamera: Camera {
    let settings: CameraSettings
    let url: String
    let client: HTTPClient

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        var request = HTTPRequest("GET", url, deadline: deadline)
        request.maximumBody = Picture.maximumBytes
        request.credentials = settings.login.map { ($0, settings.password) }
        let response = try client.ask(request, of: settings, setting: "CAMERA_URL", memory: &memory)
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        return response.body
    }
}

extension HTTPClient {
    /// One request to a camera: near, so without proxies, and trusted as CAMERA_TLS_VERIFY says. Under pin-first the
    /// key of the first answer is remembered.
    func ask(
        _ request: HTTPRequest, of settings: CameraSettings, setting: String, memory: inout CameraMemory
    ) throws(Failure) -> HTTPResponse {
        var request = request
        request.usesProxy = false
        request.connectTimeout = settings.connectTimeout
        request.trust =
            switch settings.verification {
            case .off: .anybody
            case .authorities: .authorities(file: settings.authorities)
            case .pin(let pin): .pin(pin)
            case .pinFirst: memory.pin.map(TLSTrust.pin) ?? .anybody
            }
        do throws(HTTPFailure) {
            let response = try perform(request)
            if settings.verification == .pinFirst, memory.pin == nil { memory.pin = response.pin }
            return response
        } catch {
            throw .camera(error, settings, setting: setting)
        }
    }
}
