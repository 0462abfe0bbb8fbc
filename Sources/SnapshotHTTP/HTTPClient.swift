import CLibCurl
import SnapshotBase

/// HTTP on libcurl, one request at a time; connections stay open for the next request.
///
/// Redirects are never followed and HTTP/1.1 is all that is spoken: cameras and object stores want no more.
package final class HTTPClient {
    /// Made when first needed: loading libcurl is most of what a run costs, and a folder to store in doesn't need it.
    private var handle: EasyHandle?
    private let terms: TransferTerms
    /// For uploads whose end has to be met to a tenth of a second: alone, libcurl looks up once a second.
    private lazy var uploads = transfers()
    /// How long uploads may take; nil: until their deadline.
    package var uploadTimeouts: UploadTimeouts?

    /// - Parameters:
    ///   - stop: ends a transfer that takes more than a moment once it is made.
    ///   - sessions: of earlier runs; without them every connection begins with a whole handshake.
    ///   - rate: of all uploads together, in bytes a second.
    package init(stop: StopRequest, sessions: TLSSessions? = nil, rate: Int? = nil) {
        terms = TransferTerms(stop: stop, sessions: sessions, rate: rate)
    }

    /// What went to and from cameras, and everybody else, since the last call.
    package func takeTraffic() -> (camera: TrafficFigures, others: TrafficFigures) {
        (terms.near.take(), terms.far.take())
    }

    /// For several requests at once, under the same rules.
    package func transfers() -> HTTPTransfers { HTTPTransfers(terms) }

    /// Does one request. Answers of any status are returned; only the lack of one throws.
    package func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        if request.timeouts?.bound != nil { return try performWatched(request) }
        do throws(HTTPFailure) { return try performAlone(request) } catch {
            // A server that can't take a session, and fails where it should begin anew.
            guard error.hadSession, error.kind == .tls || error.kind == .lost else { throw error }
        }
        return try performAlone(request)
    }

    private func performAlone(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        let handle = try opened()
        let transfer = try HTTPTransfer(request, on: handle, terms)
        let code = withExtendedLifetime(transfer) { shim_easy_perform(handle.pointer) }
        return try transfer.end(code)
    }

    private func performWatched(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        uploads.start(request, tag: 0)
        while true {
            guard let (_, answer) = uploads.next(within: .milliseconds(50)) else { continue }
            switch answer {
            case .response(let response): return response
            case .none(let failure): throw failure
            }
        }
    }

    /// Closes what is open: the next request begins anew.
    package func dropConnections() { handle = nil }

    package func answer(to request: HTTPRequest) -> HTTPAnswer {
        HTTPAnswer { () throws(HTTPFailure) in try perform(request) }
    }

    private func opened() throws(HTTPFailure) -> EasyHandle {
        if let handle { return handle }
        let new = try EasyHandle(keeping: terms)
        handle = new
        return new
    }
}
