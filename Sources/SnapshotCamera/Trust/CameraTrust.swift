import SnapshotBase
import SnapshotHTTP

/// TLS verification of a camera by CAMERA_TLS_VERIFY, for HTTPS and RTSPS. One object serves one run, or one connection
/// of the relay.
package final class CameraTrust {
    private let settings: CameraSettings
    private let pins: Pins
    private var pinned: (host: HostAndPort, pin: String)?
    /// The pin that this object has stored because the host had no pin; nil where none.
    package private(set) var firstPin: String?
    /// The pin that pin-first used; nil before the first connection.
    package var knownPin: String? { pinned?.pin }

    /// The state directory with the pins.
    var statePath: String { pins.directory }
    /// The path for `Command.leftBehindFile`: the file that records a camera's program that not even SIGKILL ends.
    var leftBehindFile: String { statePath + "/camera.pid" }

    package init(_ settings: CameraSettings, statePath: String) {
        self.settings = settings
        pins = Pins(statePath: statePath)
    }

    /// How a connection to `host` is verified. Under pin-first a host without a pin is first asked for its key by a
    /// handshake that sends nothing else; every connection is then made with that pin.
    /// - Throws: where the pins can't be read (exit code 77), a first one can't be stored (74), or the handshake fails.
    package func trust(for host: HostAndPort, deadline: Deadline) throws(Failure) -> TLSTrust {
        switch settings.verification {
        case .off: .unverifiedAnyVersion
        case .authorities: .authorities(file: settings.authorities)
        case .pin(let pin): .pin(pin)
        case .pinFirst: .pin(try pin(of: host, deadline))
        }
    }

    private func pin(of host: HostAndPort, _ deadline: Deadline) throws(Failure) -> String {
        if let pinned, pinned.host == host { return pinned.pin }
        let pin: String
        if let known = try pins.pin(of: host) {
            pin = known
        } else {
            let seen = try settings.fetchPin(of: host, deadline: deadline)
            pin = try pins.add(seen, for: host)
            firstPin = pin
        }
        pinned = (host, pin)
        return pin
    }
}

extension CameraSettings {
    /// The pin of the key that `host` presents now, from a handshake alone.
    package func fetchPin(of host: HostAndPort, deadline: Deadline) throws(Failure) -> String {
        do throws(HTTPFailure) {
            return try TLSHandshake(host: host, connectTimeout: connectTimeout, deadline: deadline).pin()
        } catch {
            throw .camera(error, self, over: "TLS")
        }
    }
}
