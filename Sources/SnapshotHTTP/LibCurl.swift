import CLibCurl
import SnapshotBase

/// The library, which is loaded when it is first used.
enum LibCurl {
    private static let whyMissing = shim_load().map { String(cString: $0) }

    /// A handle for consecutive requests; `EasyHandle` frees it.
    fileprivate static func easy() throws(HTTPFailure) -> UnsafeMutableRawPointer { try make(shim_easy_init) }

    /// A handle for concurrent requests, which the caller must free.
    static func multi() throws(HTTPFailure) -> UnsafeMutableRawPointer { try make(shim_multi_init) }

    private static func make(
        _ handle: () -> UnsafeMutableRawPointer?
    ) throws(HTTPFailure) -> UnsafeMutableRawPointer {
        if let why = whyMissing { throw HTTPFailure(kind: .noLibrary, why: why) }
        guard let handle = handle() else { throw HTTPFailure(kind: .noLibrary, why: "libcurl can't be started") }
        return handle
    }
}

/// A libcurl handle for consecutive requests, with its open connections.
package final class EasyHandle {
    package let pointer: UnsafeMutableRawPointer

    /// Kept because the connections point to it.
    private let shared: SharedTransferState?

    init(keeping shared: SharedTransferState? = nil) throws(HTTPFailure) {
        self.shared = shared
        pointer = try LibCurl.easy()
    }

    deinit { shim_easy_cleanup(pointer) }
}
