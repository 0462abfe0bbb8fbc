import Glibc
import SnapshotBase
import SnapshotHTTP

/// What runs remember of the camera: `STATE_PATH/session.json`, mode 0600, since a session token gives access to the
/// camera. It is written only when it changes.
package struct CameraMemory: JSONMapped, Equatable, Sendable {
    /// The identity of the camera and user (`CameraSettings.identity`).
    package var identity = ""
    /// The method of login that worked, e.g. `token` or `basic`; nil where none is known.
    package var auth: String?
    package var session: Session?
    package var loginPause: LoginPause?
    /// Whether the camera's Content-Length was once too short for a picture.
    package var ignoresLength: Bool?
    /// The host and port that has offered Digest authentication: Basic is never used with it again.
    package var digestAuthHost: String?
    /// The random key of the HMACs by which hold-offs notice changed settings; made once.
    package var hmacKey = ""

    /// A session token and its lease.
    package struct Session: JSONMapped, Equatable, Sendable {
        package var token = ""
        /// When to log in again, before the lease ends, in seconds of uptime in the boot `boot`.
        package var renewal = 0.0
        package var boot = ""
        /// The HMAC of the user and password that opened the session: after a change of them the session isn't used.
        package var loginHMAC = ""

        package init() {}

        package init(token: String, renewal: Double, boot: String, loginHMAC: String) {
            self.token = token
            self.renewal = renewal
            self.boot = boot
            self.loginHMAC = loginHMAC
        }

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("token", &token)
            fields.field("renewal", &renewal)
            fields.field("boot", &boot)
            fields.field("login", &loginHMAC)
        }
    }

    /// The pause after the camera has answered that logins are too frequent: more logins would make it refuse longer.
    package struct LoginPause: JSONMapped, Equatable, Sendable {
        /// The end of the pause, in seconds of uptime in the boot `boot`.
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

    /// Whether the pause after too frequent logins still lasts.
    func isLoginPaused(_ clock: SystemClock) -> Bool {
        guard let loginPause, loginPause.boot == clock.boot else { return false }
        return clock.up().seconds < loginPause.until
    }

    package static let fileName = "session.json"

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("place", &identity)
        fields.field("auth", &auth)
        fields.field("session", &session)
        fields.field("login_pause", &loginPause)
        fields.field("ignores_length", &ignoresLength)
        fields.field("digest_host", &digestAuthHost)
        fields.field("digestKey", &hmacKey)
    }

    /// Reads the memory from a state directory; nil where there is none, or it is damaged.
    package init?(reading directory: String) {
        guard let bytes = try? readFile(directory + "/" + Self.fileName, limit: 65536),
            let found = JSON(bytes).flatMap(CameraMemory.init(json:))
        else { return nil }
        self = found
    }

    /// This memory if it belongs to that camera and user; otherwise a new one, which keeps the HMAC key and the host
    /// that has offered Digest.
    package func belonging(to identity: String) -> CameraMemory {
        var memory = self.identity == identity ? self : CameraMemory()
        memory.identity = identity
        memory.digestAuthHost = digestAuthHost
        memory.hmacKey = hmacKey.isEmpty ? hexadecimal(Crypto.random(16)) : hmacKey
        return memory
    }

    /// Writes the memory durably, after the pin that version 0.2.2 kept in the same file was copied to `pins.json`.
    /// Callers may ignore an error: without the memory the next run logs in again.
    package func write(to directory: String) throws(Failure) {
        try Pins(statePath: directory).migrateOldPin()
        let path = directory + "/" + Self.fileName
        do throws(SystemError) {
            try writeDurably([json.bytes], to: path, temporary: path + ".new", mode: 0o600)
        } catch {
            throw Failure(.own(.state), "cannot write", path, why: "\(error)", cause: error)
        }
    }

    /// The HMAC of settings: 16 hexadecimal digits, from which the settings can't be guessed without this memory.
    package func hmac(of settings: String) -> String {
        String(hexadecimal(Crypto.hmac(key: Array(hmacKey.utf8), settings)).prefix(16))
    }
}
