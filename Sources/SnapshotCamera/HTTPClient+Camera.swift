import SnapshotBase
import SnapshotHTTP

/// Requests to a camera over HTTP, for all kinds of cameras that answer by HTTP.
extension HTTPClient {
    /// Sends one request to a camera: without a proxy, since cameras are local, and with TLS verified by
    /// CAMERA_TLS_VERIFY.
    package func ask(_ request: HTTPRequest, of settings: CameraSettings, _ trust: CameraTrust) throws(Failure)
        -> HTTPResponse
    {
        var request = request
        request.connectTimeout = settings.connectTimeout
        if let host = HostAndPort(tlsURL: request.url) {
            request.trust = try trust.trust(for: host, deadline: request.deadline)
        }
        do throws(HTTPFailure) { return try perform(request) } catch {
            throw .camera(error, settings, over: request.url.hasPrefix("https:") ? "HTTPS" : "HTTP")
        }
    }

    /// Requests a picture. If the camera's Content-Length is too short for the picture, or isn't a number, the request
    /// is repeated without regard to that length, and `memory` notes it for later runs.
    func picture(
        _ request: HTTPRequest, of settings: CameraSettings, _ trust: CameraTrust, _ memory: inout CameraMemory
    ) throws(Failure) -> HTTPResponse {
        var request = request
        request.maximumBody = settings.maxBytes
        request.reader = PictureReader()
        request.ignoresLength = memory.ignoresLength == true
        let first: Result<HTTPResponse, Failure>
        do throws(Failure) {
            let response = try ask(request, of: settings, trust)
            guard response.isPictureCutByLength, !request.ignoresLength else { return response }
            first = .success(response)
        } catch {
            guard (error.cause as? HTTPFailure)?.isAboutLength == true else { throw error }
            first = .failure(error)
        }
        request.ignoresLength = true
        // On the same connection the unread rest of the picture would be taken for the next response.
        dropConnections()
        guard let whole = try? ask(request, of: settings, trust), whole.status == 200,
            (try? JPEG(checking: whole.body)) != nil
        else { return try first.get() }
        memory.ignoresLength = true
        return whole
    }
}

extension HTTPResponse {
    fileprivate var isPictureCutByLength: Bool {
        guard status == 200, !body.suffix(2).elementsEqual(JPEG.end), headers["content-length"] == "\(body.count)"
        else { return false }
        do throws(JPEG.Flaw) { _ = try JPEG(checking: body) } catch {
            return error == .cutShort || error == .tiny(body.count) && body.starts(with: JPEG.start)
        }
        return false
    }
}
