import Glibc
import SnapshotBase

/// The folder where TLS sessions wait for the next run: in RAM at best, for it is written at each run. A session is a secret,
/// and only this user's.
package struct TLSSessions: Sendable {
    let directory: String
    /// A file younger than this is left alone, in seconds.
    let rest: Int

    /// - Parameter runtimeDirectory: nil where there is none, as under cron; then a card may hold the state.
    package init(runtimeDirectory: String?, statePath: String) {
        directory = (runtimeDirectory ?? statePath) + "/.tls"
        rest = runtimeDirectory.map(isInRAM) == true ? 0 : 3600
    }

    /// The session of a request's server; nil where there may be none, as under a trust that only looks at keys.
    func session(for request: HTTPRequest) -> KeptSession? {
        guard let host = TLSHost(url: request.url), let trust = request.trust.inWords else { return nil }
        // Who resumes one is to the server who began it, whatever certificate it has now.
        let own = request.certificate.map { " as \($0.identity)" } ?? ""
        return KeptSession(of: host, binding: "snapshot TLS session 1 \(host) \(trust)\(own)\n", in: self)
    }

    // MARK: Files

    /// More hosts than one set of settings speaks to.
    private static let most = 16

    /// The content of a file that only this user can have written; nil where there is none.
    func read(_ name: String, limit: Int) -> [UInt8]? {
        guard let folder = try? Folder(directory), let file = try? folder.open(name, O_RDONLY),
            let facts = try? file.status(), facts.st_mode & S_IFMT == S_IFREG, facts.st_uid == geteuid(),
            facts.st_mode & 0o077 == 0, facts.st_size <= limit
        else { return nil }
        return try? file.readAll(limit: limit)
    }

    /// Nobody minds if it can't be written, nor if a power cut takes it: the next run then makes a whole handshake.
    func write(_ bytes: [UInt8], to name: String, now: Timestamp) {
        guard let folder = try? Folder(private: directory, creating: 0o700) else { return }
        if let facts = folder.status(name) {
            let age = (now.milliseconds - Timestamp(facts.st_mtim).milliseconds) / 1000
            guard !(0..<Int64(rest)).contains(age) else { return }
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

    func remove(_ name: String) { (try? Folder(directory))?.remove(name) }

    private func makeRoom(in folder: Folder) {
        guard let names = try? folder.names(), names.count >= Self.most else { return }
        let files = names.map { (name: $0, time: folder.status($0).map { Timestamp($0.st_mtim).milliseconds } ?? 0) }
        for file in files.sorted(by: { $0.time < $1.time }).prefix(names.count - Self.most + 1) {
            folder.remove(file.name)
        }
    }
}

extension TLSTrust {
    /// In one line; nil where a session would take away what the handshake is for.
    fileprivate var inWords: String? {
        switch self {
        case .authorities(let file): "authorities \(file ?? "of the system")"
        case .pin(let pin): "pin \(pin)"
        case .anything: "anything"
        case .anybody: nil
        }
    }
}
