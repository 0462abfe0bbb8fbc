import Glibc
import SnapshotBase
import SnapshotHTTP

/// What is remembered of the camera between runs: `STATE_PATH/session.json`, mode 0600, since a session token opens
/// the camera. Written only when it changes.
package struct CameraMemory: JSONMapped, Equatable, Sendable {
    /// Which camera and user the rest belongs to.
    package var place = ""
    /// The login that worked under CAMERA_AUTH=auto.
    package var auth: String?
    package var session: Session?
    package var loginPause: LoginPause?
    /// Whether its Content-Length has left out a picture's end.
    package var ignoresLength: Bool?
    /// The host and port that has offered Digest: it never gets the password itself again.
    package var digestHost: String?
    /// Key for the digests by which hold-offs know changed settings; random, made once.
    package var digestKey = ""

    /// A login's lease.
    package struct Session: JSONMapped, Equatable, Sendable {
        package var token = ""
        /// When to log in anew, before the lease ends: seconds since the boot `boot`.
        package var renewal = 0.0
        package var boot = ""
        /// Digest of the user and password that opened it: changed settings log in anew.
        package var login = ""

        package init() {}

        package init(token: String, renewal: Double, boot: String, login: String) {
            self.token = token
            self.renewal = renewal
            self.boot = boot
            self.login = login
        }

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("token", &token)
            fields.field("renewal", &renewal)
            fields.field("boot", &boot)
            fields.field("login", &login)
        }
    }

    /// The camera finds logins too frequent: more of them would only go on being that.
    package struct LoginPause: JSONMapped, Equatable, Sendable {
        /// Seconds since the boot `boot`.
        package var until = 0.0
        package var boot = ""

        package init() {}

        package init(until: Double, boot: String) {
            self.until = until
            self.boot = boot
        }

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("until", &until)
            fields.field("boot", &boot)
        }
    }

    /// Whether it is too early for another login.
    func loginsRest(_ clock: SystemClock) -> Bool {
        guard let loginPause, loginPause.boot == clock.boot else { return false }
        return clock.up().seconds < loginPause.until
    }

    package static let fileName = "session.json"

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("place", &place)
        fields.field("auth", &auth)
        fields.field("session", &session)
        fields.field("login_pause", &loginPause)
        fields.field("ignores_length", &ignoresLength)
        fields.field("digest_host", &digestHost)
        fields.field("digestKey", &digestKey)
    }

    /// The memory in a state directory; nil where there is none.
    package init?(reading directory: String) {
        guard let bytes = try? readFile(directory + "/" + Self.fileName, limit: 65536),
            let found = JSON(bytes).flatMap(CameraMemory.init(json:))
        else { return nil }
        self = found
    }

    /// This memory if it belongs to `place`; otherwise a new one with what belongs to no place.
    package func belonging(to place: String) -> CameraMemory {
        var memory = self.place == place ? self : CameraMemory()
        memory.place = place
        memory.digestHost = digestHost
        memory.digestKey = digestKey.isEmpty ? hexadecimal(Crypto.random(16)) : digestKey
        return memory
    }

    /// Best effort: without memory the next run logs in anew.
    package func write(to directory: String) throws(Failure) {
        try Pins(statePath: directory).takeOver()
        let path = directory + "/" + Self.fileName
        do throws(SystemError) {
            try writeDurably([json.bytes], to: path, temporary: path + ".new", mode: 0o600)
        } catch {
            throw Failure(.own(.state), "cannot write", path, why: "\(error)", cause: error)
        }
    }

    /// A digest of settings that tells nothing to those who can't read this memory.
    package func digest(_ settings: String) -> String {
        String(hexadecimal(Crypto.hmac(key: Array(digestKey.utf8), settings)).prefix(16))
    }
}
