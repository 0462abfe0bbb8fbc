import CLibCurl
import SnapshotBase

/// HTTP on libcurl, one request at a time; connections stay open for the next request.
///
/// Redirects are never followed and HTTP/1.1 is all that is spoken: cameras and object stores want no more.
package final class HTTPClient {
    /// Made when first needed: loading libcurl is most of what a run costs, and a folder to store in doesn't need it.
    private var handle: EasyHandle?
    private let stop: StopRequest

    /// - Parameter stop: ends a transfer that takes more than a moment once it is made.
    package init(stop: StopRequest) { self.stop = stop }

    /// Does one request. Answers of any status are returned; only the lack of one throws.
    package func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        let handle = try opened()
        let transfer = try HTTPTransfer(request, on: handle, stop: stop)
        let code = withExtendedLifetime(transfer) { shim_easy_perform(handle.pointer) }
        return try transfer.end(code)
    }

    package func answer(to request: HTTPRequest) -> HTTPAnswer {
        HTTPAnswer { () throws(HTTPFailure) in try perform(request) }
    }

    private func opened() throws(HTTPFailure) -> EasyHandle {
        if let handle { return handle }
        let new = try EasyHandle()
        handle = new
        return new
    }
}
