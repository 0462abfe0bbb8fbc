import SnapshotBase
import SnapshotHTTP

/// Whom to believe when a camera is spoken to over TLS, be it HTTP or RTSP: what CAMERA_TLS_VERIFY says. One value serves
/// one run, or one attempt of the relay's.
package final class CameraTrust {
    private let settings: CameraSettings
    private let pins: Pins
    private var pinned: (host: TLSHost, pin: String)?
    /// The key that was seen for the first time, and pinned, by this value.
    package private(set) var firstPin: String?
    /// The pin that connections of pin-first were held to; nil before the first.
    package var knownPin: String? { pinned?.pin }

    /// Where the state is that the trust is kept with.
    var statePath: String { pins.directory }

    package init(_ settings: CameraSettings, statePath: String) {
        self.settings = settings
        pins = Pins(statePath: statePath)
    }

    /// Whom a connection to `host` may trust. Under pin-first a host without a pin is first asked for its key by a
    /// handshake, which sends nothing else; every connection is then made with that pin.
    /// - Throws: 77 where the pins can't be read, 74 where a first one can't be kept, or why there is no handshake.
    package func trust(for host: TLSHost, deadline: Deadline) throws(Failure) -> TLSTrust {
        switch settings.verification {
        case .off: .anything
        case .authorities: .authorities(file: settings.authorities)
        case .pin(let pin): .pin(pin)
        case .pinFirst: .pin(try pin(of: host, deadline))
        }
    }

    private func pin(of host: TLSHost, _ deadline: Deadline) throws(Failure) -> String {
        if let pinned, pinned.host == host { return pinned.pin }
        let pin: String
        if let known = try pins.pin(of: host) {
            pin = known
        } else {
            let seen = try settings.presentKey(of: host, deadline: deadline)
            pin = try pins.add(seen, for: host)
            firstPin = pin
        }
        pinned = (host, pin)
        return pin
    }
}

extension CameraSettings {
    /// The key that `host` has now, learned by a handshake alone.
    package func presentKey(of host: TLSHost, deadline: Deadline) throws(Failure) -> String {
        do throws(HTTPFailure) {
            return try TLSHandshake(host: host, connectTimeout: connectTimeout, deadline: deadline).key()
        } catch {
            throw .camera(error, self, over: "TLS")
        }
    }
}
