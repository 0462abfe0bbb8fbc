import Glibc
import SnapshotBase

/// The folder with the TLS sessions for the next run, preferably in RAM, as each run writes to it. Sessions are secret,
/// so only this user may read them.
package struct TLSSessions: Sendable {
    let directory: String
    /// The age in seconds below which a file is not replaced, to reduce writes to flash memory.
    let minimumAge: Int
    private let clock: SystemClock

    /// - Parameter runtimeDirectory: systemd's runtime directory; nil if there is none, as under cron. Then the folder
    ///   is in the state, which may be on an SD card.
    package init(runtimeDirectory: String?, statePath: String, clock: SystemClock) {
        self.clock = clock
        directory = (runtimeDirectory ?? statePath) + "/.tls"
        minimumAge = runtimeDirectory.map(isInRAM) == true ? 0 : 3600
    }

    /// The session for a request's server; nil without TLS, or if the purpose of the request is to see the server's
    /// key.
    func session(for request: HTTPRequest) -> SavedTLSSession? {
        guard let host = HostAndPort(tlsURL: request.url), let trust = request.trust.inWords else { return nil }
        // A server takes the client of a resumed session for the one whose certificate began that session.
        let own = request.certificate.map { " as \($0.identity)" } ?? ""
        return SavedTLSSession(of: host, binding: "snapshot TLS session 1 \(host) \(trust)\(own)\n", in: self)
    }

    // MARK: Files

    /// The most files that are kept, which exceeds the hosts of one set of settings.
    private static let mostFiles = 16

    /// The content of a file that only this user can have written; nil if there is none.
    func read(_ name: String, limit: Int) -> [UInt8]? {
        guard let folder = try? Folder(directory), let file = try? folder.open(name, O_RDONLY),
            let facts = try? file.status(), facts.st_mode & S_IFMT == S_IFREG, facts.st_uid == geteuid(),
            facts.st_mode & 0o077 == 0, facts.st_size <= limit
        else { return nil }
        return try? file.readAll(limit: limit)
    }

    /// Saves a session. Errors are ignored and nothing is synced: without the file the next run makes a full handshake.
    func write(_ bytes: [UInt8], to name: String) {
        guard let folder = try? Folder(private: directory, creating: 0o700) else { return }
        if let failures = folder.status(Self.failures(of: name)), failures.st_size > 2, isYounger(failures, than: 86400)
        {
            return
        }
        if let facts = folder.status(name) {
            guard !isYounger(facts, than: minimumAge) else { return }
        } else {
            makeRoom(in: folder)
        }
        let temporary = "\(name).\(getpid())"
        do throws(SystemError) {
            let file = try folder.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
            try file.write(bytes)
            try folder.rename(temporary, to: name)
        } catch {
            folder.remove(temporary)
        }
    }

    private func isYounger(_ file: stat, than seconds: Int) -> Bool {
        let age = (clock.wall().milliseconds - Timestamp(file.st_mtim).milliseconds) / 1000
        return (0..<Int64(seconds)).contains(age)
    }

    // MARK: Servers that fail when a session is resumed

    /// A file whose size is how often in a row the server didn't respond after it was offered a session. From the third
    /// time on, no session is saved for a day: otherwise each full handshake, which succeeds, would save a session that
    /// can't be resumed.
    private static func failures(of name: String) -> String { name + ".failures" }

    func forgetFailures(of name: String) { (try? Folder(directory))?.remove(Self.failures(of: name)) }

    /// Removes the session as well.
    func noteFailure(of name: String) {
        guard let folder = try? Folder(private: directory, creating: 0o700) else { return }
        folder.remove(name)
        try? folder.open(Self.failures(of: name), O_WRONLY | O_CREAT | O_APPEND).write([UInt8(ascii: "x")])
    }

    private func makeRoom(in folder: Folder) {
        guard let names = try? folder.names(), names.count >= Self.mostFiles else { return }
        let files = names.map { (name: $0, time: folder.status($0).map { Timestamp($0.st_mtim).milliseconds } ?? 0) }
        for file in files.sorted(by: { $0.time < $1.time }).prefix(names.count - Self.mostFiles + 1) {
            folder.remove(file.name)
        }
    }
}

extension TLSTrust {
    /// The kind of trust in one line; nil if a resumed session would hide the server's key.
    fileprivate var inWords: String? {
        switch self {
        case .authorities(let file): "authorities \(file ?? "of the system")"
        case .pin(let pin): "pin \(pin)"
        case .unverifiedAnyVersion: "anything"
        case .unverified: nil
        }
    }
}
