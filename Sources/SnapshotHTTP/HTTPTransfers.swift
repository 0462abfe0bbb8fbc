import CLibCurl
import SnapshotBase

/// An HTTP client on libcurl's multi interface for concurrent requests; connections stay open for the next ones.
package final class HTTPTransfers {
    private var multi: UnsafeMutableRawPointer?
    private var underWay: [(handle: EasyHandle, transfer: HTTPTransfer, tag: Int)] = []
    private var ended: [(tag: Int, result: HTTPResult)] = []

    private let shared: SharedTransferState

    init(_ shared: SharedTransferState) { self.shared = shared }

    deinit {
        for request in underWay { remove(request.handle) }
        if let multi { _ = shim_multi_cleanup(multi) }
    }

    /// Starts a request. `next` returns its result with `tag`.
    package func start(_ request: HTTPRequest, tag: Int) {
        do throws(HTTPFailure) { try add(request, tag) } catch { ended.append((tag, .failure(error))) }
    }

    /// Waits for a request to end, for at most `timeout`; nil if none has.
    package func next(within timeout: Duration) -> (tag: Int, result: HTTPResult)? {
        work()
        if ended.isEmpty, let multi {
            let code = shim_multi_poll(multi, Int32(clamping: timeout.milliseconds + 1))
            if code == CURLM_OK { work() } else { giveUp(code) }
        }
        return ended.isEmpty ? nil : ended.removeFirst()
    }

    private func add(_ request: HTTPRequest, _ tag: Int) throws(HTTPFailure) {
        // The easy handle comes first, because creating it initialises libcurl as a whole.
        let handle = try EasyHandle(keeping: shared)
        let multi = try opened()
        let transfer = try HTTPTransfer(request, on: handle, shared)
        let code = shim_multi_add(multi, handle.pointer)
        guard code == CURLM_OK else { throw Self.failure(code) }
        underWay.append((handle, transfer, tag))
    }

    private func opened() throws(HTTPFailure) -> UnsafeMutableRawPointer {
        if let multi { return multi }
        let new = try LibCurl.multi()
        multi = new
        return new
    }

    /// Processes everything that is possible without waiting.
    private func work() {
        guard let multi else { return }
        let code = shim_multi_perform(multi)
        var result = CURLE_OK
        while let easy = shim_multi_next_ended(multi, &result) {
            guard let index = underWay.firstIndex(where: { $0.handle.pointer == easy }) else { continue }
            let (handle, transfer, tag) = underWay[index]
            let outcome = HTTPResult { () throws(HTTPFailure) in try transfer.end(result) }
            remove(handle)
            underWay.remove(at: index)
            if case .failure(let failure) = outcome, let again = transfer.request.withoutTLSSession(after: failure) {
                start(again, tag: tag)
            } else {
                ended.append((tag, outcome))
            }
        }
        if code != CURLM_OK { giveUp(code) }
    }

    /// Ends all requests with a failure, because libcurl cannot continue.
    private func giveUp(_ code: CURLMcode) {
        for (handle, _, tag) in underWay {
            ended.append((tag, .failure(Self.failure(code))))
            remove(handle)
        }
        underWay = []
    }

    /// Must be called while the handle's transfer still exists, as libcurl may call it a last time.
    private func remove(_ handle: EasyHandle) { _ = shim_multi_remove(multi, handle.pointer) }

    private static func failure(_ code: CURLMcode) -> HTTPFailure {
        HTTPFailure(kind: .lost, why: String(cString: shim_multi_strerror(code)))
    }
}
