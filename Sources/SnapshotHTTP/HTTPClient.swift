import CLibCurl
import SnapshotBase

/// An HTTP client on libcurl for one request at a time; connections stay open for the next request.
///
/// It speaks HTTP/1.1, which cameras and object stores need, and never follows redirects.
package final class HTTPClient {
    /// Created when first needed: loading libcurl is a large part of a run's cost, and a local folder does not need it.
    private var handle: EasyHandle?
    private let shared: SharedTransferState
    /// For uploads whose deadline must be met to a tenth of a second: the easy interface checks only once a second.
    private lazy var uploads = transfers()
    /// Limits for uploads; nil: only their deadline.
    package var uploadTimeouts: UploadTimeouts?

    /// - Parameters:
    ///   - context: the clock, and the request to stop; a transfer is ended if it still runs two seconds later.
    ///   - sessions: TLS sessions of earlier runs; nil makes every connection begin with a full handshake.
    ///   - rate: the limit for all uploads together, in bytes a second.
    package init(_ context: ProcessContext, sessions: TLSSessions? = nil, rate: Int? = nil) {
        shared = SharedTransferState(context, sessions: sessions, rate: rate)
    }

    /// The traffic to and from cameras, and all other hosts, since the last call.
    package func takeTraffic() -> (camera: TrafficFigures, others: TrafficFigures) {
        (shared.camera.take(), shared.others.take())
    }

    /// A client for concurrent requests with the same options.
    package func transfers() -> HTTPTransfers { HTTPTransfers(shared) }

    /// Performs one request. A whole response of any status is returned.
    /// - Throws: where there is no usable response.
    package func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        if request.timeouts?.uploadDeadline != nil { return try performByMulti(request) }
        do throws(HTTPFailure) { return try performByEasy(request) } catch {
            guard let again = request.withoutTLSSession(after: error) else { throw error }
            return try performByEasy(again)
        }
    }

    private func performByEasy(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        let handle = try opened()
        let transfer = try HTTPTransfer(request, on: handle, shared)
        let code = withExtendedLifetime(transfer) { shim_easy_perform(handle.pointer) }
        return try transfer.end(code)
    }

    private func performByMulti(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        uploads.start(request, tag: 0)
        while true {
            guard let (_, result) = uploads.next(within: .milliseconds(50)) else { continue }
            switch result {
            case .response(let response): return response
            case .failure(let failure): throw failure
            }
        }
    }

    /// Closes all connections but those of `uploads`, so that the next request opens a new one.
    package func dropConnections() { handle = nil }

    /// Performs one request like `perform`, and returns a failure instead of throwing it.
    package func result(of request: HTTPRequest) -> HTTPResult {
        HTTPResult { () throws(HTTPFailure) in try perform(request) }
    }

    private func opened() throws(HTTPFailure) -> EasyHandle {
        if let handle { return handle }
        let new = try EasyHandle(keeping: shared)
        handle = new
        return new
    }
}
