import CLibCurl
import SnapshotBase

/// The saved TLS session of one server and one kind of trust. OpenSSL's connections hold references to it until they
/// are freed.
final class SavedTLSSession {
    private let sessions: TLSSessions
    /// The file's first bytes, which identify the server and trust.
    private let binding: [UInt8]
    private let name: String
    private let host: UnsafeMutablePointer<CChar>
    private let callbacks: UnsafeMutablePointer<shim_sessions>
    /// Whether a handshake has tried to resume the session.
    fileprivate(set) var isOffered = false
    /// Whether a session has been saved: TLS 1.3 servers send two, and one is enough.
    private var isSaved = false

    private static let digestSize = 32

    init(of host: HostAndPort, binding: String, in sessions: TLSSessions) {
        self.sessions = sessions
        self.binding = Array(binding.utf8)
        name = hexadecimal(Crypto.sha256(self.binding).prefix(16).map { $0 })
        let text = Array(host.name.utf8CString)
        self.host = .allocate(capacity: text.count)
        self.host.initialize(from: text, count: text.count)
        callbacks = .allocate(capacity: 1)
        callbacks.initialize(
            to: shim_sessions(
                context: nil, host: self.host, retain: retainSession, release: releaseSession, load: loadSession,
                save: saveSession, offers: noteOffer))
    }

    deinit {
        callbacks.deallocate()
        host.deallocate()
    }

    /// Makes the next connection of `easy` resume the session. The caller must keep this object until the transfer has
    /// ended.
    func resume(on easy: UnsafeMutableRawPointer) {
        callbacks.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        _ = shim_set_sessions(easy, callbacks)
    }

    /// Notes whether the server responded after the session was offered to it; if not, the session is removed.
    func note(worked: Bool) {
        guard isOffered else { return }
        if worked { sessions.forgetFailures(of: name) } else { sessions.noteFailure(of: name) }
    }

    // MARK: Callbacks of the connection

    /// Reads the file, which consists of the binding, a digest and the content; returns the size of the content, 0 if
    /// invalid.
    fileprivate func load(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let head = binding.count + Self.digestSize
        guard let bytes = sessions.read(name, limit: head + buffer.count), bytes.count > head,
            bytes.starts(with: binding)
        else { return 0 }
        let content = Array(bytes[head...])
        guard Crypto.sha256(content).elementsEqual(bytes[binding.count..<head]) else { return 0 }
        buffer.copyBytes(from: content)
        return content.count
    }

    fileprivate func save(_ content: [UInt8]) {
        guard !isSaved else { return }
        isSaved = true
        sessions.write(binding + Crypto.sha256(content) + content, to: name)
    }
}

private func session(_ context: UnsafeMutableRawPointer?) -> Unmanaged<SavedTLSSession>? {
    context.map { Unmanaged<SavedTLSSession>.fromOpaque($0) }
}

private let retainSession: @convention(c) (UnsafeMutableRawPointer?) -> Void = { _ = session($0)?.retain() }
private let releaseSession: @convention(c) (UnsafeMutableRawPointer?) -> Void = { session($0)?.release() }
private let noteOffer: @convention(c) (UnsafeMutableRawPointer?) -> Void = {
    session($0)?.takeUnretainedValue().isOffered = true
}
private let loadSession: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, Int) -> Int = {
    context, bytes, capacity in
    session(context)?.takeUnretainedValue().load(
        into: UnsafeMutableRawBufferPointer(start: bytes, count: capacity)) ?? 0
}
private let saveSession: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, Int) -> Void = {
    context, bytes, count in
    session(context)?.takeUnretainedValue().save(Array(UnsafeBufferPointer(start: bytes, count: count)))
}
