import Glibc
import SnapshotBase
import SnapshotHTTP

/// The pins of one state directory, `STATE_PATH/pins.json`, mode 0600. Captures, relays and checks may read and change it
/// at the same time.
package struct Pins: Sendable {
    package static let fileName = "pins.json"

    let directory: String
    private var path: String { directory + "/" + Self.fileName }
    private var session: String { directory + "/" + CameraMemory.fileName }

    package init(statePath: String) { directory = statePath }

    /// The key that `host` must have; nil where it has none yet.
    /// - Throws: where it can't be known: then nobody is to be trusted.
    package func pin(of host: TLSHost) throws(Failure) -> String? {
        let list = try read()
        // What an older version kept lies where people throw things away: it is brought into safety at once.
        if !list.entries.isEmpty, !fileExists(path) { try? takeOver() }
        return list[host]
    }

    /// Pins the first key of `host`.
    /// - Returns: the pin to go by, which is another run's if that was sooner.
    /// - Throws: where it can't be kept: then `host` isn't to be trusted either.
    package func add(_ pin: String, for host: TLSHost) throws(Failure) -> String {
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        var list = try read()
        if let earlier = list[host] { return earlier }
        guard !list.isFull else {
            throw Failure(
                .own(.state), "cannot pin the TLS key of", "\(host)",
                why: "\(path) holds \(PinList.most) pins already",
                hint: "run snapshot check --forget-pin with the settings of a camera that is gone")
        }
        list.add(pin, for: host)
        try write(list)
        return pin
    }

    package enum Forgotten: Equatable, Sendable {
        case nothing
        case pin(String)
        /// All pins, which couldn't be read; the file is kept under another name if there was one.
        case all(aside: String?)
    }

    /// Removes the pin of `host`. A file that can't be read is moved aside: a person has decided.
    package func forget(_ host: TLSHost) throws(Failure) -> Forgotten {
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
        // Written even if nothing changed: what an older version kept elsewhere no longer counts.
        try write(list)
        return pin.map(Forgotten.pin) ?? .nothing
    }

    // MARK: The file

    private func read() throws(Failure) -> PinList {
        guard let bytes = try bytes(of: path, limit: PinList.maximumBytes + 1) else { return try inherited() }
        guard let list = PinList(bytes) else { throw unreadable(path, "it is damaged") }
        return list
    }

    /// nil where there is no such file. Never follows a link, nor waits for a pipe.
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

    /// Whoever changes the file is alone; each does so within milliseconds.
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

    /// What 0.2.2 kept: one pin, in `session.json`. It counts while there is no file of pins.
    private func inherited() throws(Failure) -> PinList {
        var list = PinList()
        guard let bytes = try bytes(of: session, limit: 65536) else { return list }
        guard let json = JSON(bytes), CameraMemory(json: json) != nil else {
            throw unreadable(session, "it is damaged, and may have held a pin")
        }
        guard let pin = json["pin"] else { return list }
        guard let pin = pin.string, PinList.isPin(pin), let host = Self.host(place: json["place"]?.string ?? "") else {
            throw unreadable(session, "its pin is damaged")
        }
        list.add(pin, for: host)
        return list
    }

    /// The host in `reolink https HOST USER` or `http URL`.
    private static func host(place: String) -> TLSHost? {
        let words = place.split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 3, words[0] == "reolink" { return TLSHost(String(words[2]), defaultPort: 443) }
        return words.count == 2 && words[0] == "http" ? TLSHost(url: String(words[1])) : nil
    }

    /// Brings the pin in `session.json` into safety before that file is written anew. What can't be read may have held
    /// one: it takes the place of the pins, and nobody is trusted until a person has looked.
    package func takeOver() throws(Failure) {
        guard !fileExists(path) else { return }
        let lock = try lock()
        defer { withExtendedLifetime(lock) {} }
        guard !fileExists(path) else { return }
        do throws(Failure) { try write(try inherited()) } catch {
            guard error.code == .camera(.pins), (try? moveFile(session, to: path)) != nil else { throw error }
        }
    }

    // MARK: Failures

    private func unreadable(_ path: String, _ why: String) -> Failure {
        Failure(
            .camera(.pins), "cannot read the pinned TLS keys in", path,
            why: "\(why); without them no camera is trusted",
            hint: "mend it as the user who owns \(directory), or begin anew, if you are sure of the camera: "
                + "snapshot check --forget-pin")
    }

    private func unwritable(_ error: SystemError) -> Failure {
        Failure(
            .own(.state), "cannot keep the camera's TLS key in", path,
            why: "\(error); without that it is sent no login",
            hint: error.number == ENOSPC
                ? "the disk is full; free some space" : "run as the user who owns \(directory), or set STATE_PATH")
    }
}
