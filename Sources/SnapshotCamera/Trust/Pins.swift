import Glibc
import SnapshotBase
import SnapshotHTTP

/// The pinned TLS keys of one state directory, `STATE_PATH/pins.json`, mode 0600. Captures, relays and checks may read
/// and change the file concurrently.
package struct Pins: Sendable {
    package static let fileName = "pins.json"

    let directory: String
    private var path: String { directory + "/" + Self.fileName }
    private var sessionPath: String { directory + "/" + CameraMemory.fileName }

    package init(statePath: String) { directory = statePath }

    /// The pin that the key of `host` must match; nil where none is stored yet.
    /// - Throws: where the pins can't be read; no camera may be trusted then.
    package func pin(of host: HostAndPort) throws(Failure) -> String? {
        let list = try read()
        // Copy the pin of an older version at once: it lies in session.json, which people are told to delete.
        if !list.entries.isEmpty, !fileExists(path) { try? migrateOldPin() }
        return list[host]
    }

    /// Stores the first pin of `host`.
    /// - Returns: the pin to use, which is an earlier one where another process was faster.
    /// - Throws: where the pin can't be stored; `host` may not be trusted then.
    package func add(_ pin: String, for host: HostAndPort) throws(Failure) -> String {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        var list = try read()
        if let earlier = list[host] { return earlier }
        guard !list.isFull else {
            throw Failure(
                .own(.state), "cannot pin the TLS key of", "\(host)",
                why: "\(path) holds \(PinList.mostPins) pins already",
                hint: "run snapshot check --forget-pin with the settings of a camera that is gone")
        }
        list.add(pin, for: host)
        try write(list)
        return pin
    }

    /// What `forget` has removed.
    package enum Forgotten: Equatable, Sendable {
        case nothing
        case pin(String)
        /// All pins, since they couldn't be read; `aside` is the path to which a file was renamed.
        case all(aside: String?)
    }

    /// Removes the pin of `host`. A file that can't be read is renamed, since a person has asked for this.
    package func forget(_ host: HostAndPort) throws(Failure) -> Forgotten {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        var list: PinList
        do throws(Failure) { list = try read() } catch {
            let aside = path + ".bad"
            let isMoved = (try? moveFile(path, to: aside)) != nil
            guard isMoved || errno == ENOENT else { throw unwritable(SystemError("rename")) }
            try write(PinList())
            return .all(aside: isMoved ? aside : nil)
        }
        let pin = list[host]
        list.remove(host)
        // Written even if nothing changed: once this file exists, a pin in session.json no longer counts.
        try write(list)
        return pin.map(Forgotten.pin) ?? .nothing
    }

    // MARK: The file

    private func read() throws(Failure) -> PinList {
        guard let bytes = try bytes(of: path, limit: PinList.maximumBytes + 1) else { return try oldPin() }
        guard let list = PinList(bytes) else { throw unreadable(path, "it is damaged") }
        return list
    }

    /// Reads a file; nil where it doesn't exist. Never follows a symbolic link or blocks on a named pipe.
    private func bytes(of path: String, limit: Int) throws(Failure) -> [UInt8]? {
        do throws(SystemError) {
            let file = try openFile(path, O_RDONLY)
            if try file.status().st_mode & S_IFMT == S_IFREG { return try file.readAll(limit: limit) }
        } catch {
            if error.number == ENOENT { return nil }
            throw unreadable(path, error.number == ELOOP ? "it is a link" : "\(error)")
        }
        throw unreadable(path, "it is not a regular file")
    }

    private func write(_ list: PinList) throws(Failure) {
        do throws(SystemError) {
            try writeDurably([list.bytes], to: path, temporary: path + ".new", mode: 0o600)
        } catch {
            throw unwritable(error)
        }
    }

    /// Locks the file against other writers; each holds the lock for milliseconds.
    private func lock() throws(Failure) -> FileHandle {
        do throws(SystemError) {
            try makeDirectory(directory, mode: 0o750)
            let lock = try openFile(directory + "/pins.lock", O_RDONLY | O_CREAT, mode: 0o600)
            let deadline = Deadline.after(.seconds(3))
            while retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0 {
                guard errno == EWOULDBLOCK, !deadline.hasPassed else { throw SystemError("flock") }
                usleep(10_000)
            }
            return lock
        } catch {
            throw unwritable(error)
        }
    }

    // MARK: Version 0.2.2

    /// The pin of version 0.2.2, which stored one in `session.json`. It counts while `pins.json` doesn't exist.
    private func oldPin() throws(Failure) -> PinList {
        var list = PinList()
        guard let bytes = try bytes(of: sessionPath, limit: 65536) else { return list }
        guard let json = JSON(bytes), CameraMemory(json: json) != nil else {
            throw unreadable(sessionPath, "it is damaged, and may have held a pin")
        }
        guard let pin = json["pin"] else { return list }
        guard let pin = pin.string, PinList.isPin(pin), let host = Self.host(identity: json["place"]?.string ?? "")
        else {
            throw unreadable(sessionPath, "its pin is damaged")
        }
        list.add(pin, for: host)
        return list
    }

    /// The TLS host in a stored identity, `reolink https HOST USER` or `http URL`.
    private static func host(identity: String) -> HostAndPort? {
        let words = identity.split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 3, words[0] == "reolink" { return HostAndPort(String(words[2]), defaultPort: 443) }
        return words.count == 2 && words[0] == "http" ? HostAndPort(tlsURL: String(words[1])) : nil
    }

    /// Copies the pin in `session.json` to `pins.json` before `session.json` is rewritten. An unreadable `session.json`
    /// may have held a pin: it is renamed to `pins.json`, so that no camera is trusted until a person has looked.
    package func migrateOldPin() throws(Failure) {
        guard !fileExists(path) else { return }
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        guard !fileExists(path) else { return }
        do throws(Failure) { try write(try oldPin()) } catch {
            guard error.code == .camera(.pins), (try? moveFile(sessionPath, to: path)) != nil else { throw error }
        }
    }

    // MARK: Failures

    private func unreadable(_ path: String, _ why: String) -> Failure {
        Failure(
            .camera(.pins), "cannot read the pinned TLS keys in", path,
            why: "\(why); without them no camera is trusted",
            hint: "repair it as the user who owns \(directory); or, if you are sure of the camera, start anew: "
                + "snapshot check --forget-pin")
    }

    private func unwritable(_ error: SystemError) -> Failure {
        Failure(
            .own(.state), "cannot keep the camera's TLS key in", path,
            why: "\(error); a camera whose key can't be kept is sent no login",
            hint: error.number == ENOSPC
                ? "the disk is full; free some space" : "run as the user who owns \(directory), or set STATE_PATH")
    }
}
