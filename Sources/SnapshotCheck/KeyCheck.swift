import SnapshotBase
import SnapshotCamera
import SnapshotHTTP

/// Reports the camera's TLS key and whether it is the expected one. A wrong or unverified key isn't known from the
/// requests of the camera's check, so a TLS handshake without a request fetches it.
struct KeyCheck {
    let settings: CameraSettings
    let trust: CameraTrust

    private static let timeout = Duration.seconds(2)

    /// - Parameter result: the result of the camera's check.
    /// - Returns: nil where no TLS is used, or the key is unknown.
    func finding(_ result: CameraCheck.Result) -> Finding? {
        guard let host = settings.tlsHost else { return nil }
        if result.findings.contains(where: { $0.code == .camera(.keyChanged) }) { return otherKey(host) }
        switch settings.verification {
        case .pin(let pin):
            return result.isAccepted ? passed("\(pin), as CAMERA_TLS_VERIFY has it", pin) : nil
        case .authorities: return result.isAccepted ? .passed("TLS key", "verified by a certificate authority") : nil
        case .off:
            return fetchPin(of: host).map { passed("\($0), not verified", $0, hint: "CAMERA_TLS_VERIFY=\($0)") }
        case .pinFirst:
            if let first = trust.firstPin { return passed("\(first), seen for the first time: pinned now", first) }
            return trust.knownPin.map { passed("\($0), pinned", $0) }
        }
    }

    private func passed(_ text: String, _ pin: String, hint: String? = nil) -> Finding {
        .passed("TLS key", text, hint: hint, facts: ["pin": .string(pin)])
    }

    private func otherKey(_ host: HostAndPort) -> Finding? {
        guard let pin = fetchPin(of: host) else { return nil }
        let what = settings.verification == .pinFirst ? "snapshot check --forget-pin" : "CAMERA_TLS_VERIFY=\(pin)"
        var finding = Finding.remark(
            "TLS key", "\(pin), which isn't the one that is pinned",
            hint: what + "   # only if the camera was replaced or reset")
        finding.facts["pin"] = .string(pin)
        return finding
    }

    /// The key that `host` presents now; nil where the handshake fails.
    private func fetchPin(of host: HostAndPort) -> String? {
        try? settings.fetchPin(of: host, deadline: .after(Self.timeout))
    }
}

extension CheckPlan {
    /// Forgets the camera's pin (`--forget-pin`), since the user says that the camera has another key now.
    func forgetPin() -> Finding {
        let subject = "pin"
        guard let camera else { return .skipped(subject, "none forgotten: the settings above are refused") }
        guard let host = camera.tlsHost else {
            return .skipped(subject, "none forgotten: this camera isn't reached by TLS")
        }
        do throws(Failure) {
            switch try Pins(statePath: statePath).forget(host) {
            case .nothing: return .skipped(subject, "none forgotten: \(host) has none in \(statePath)")
            case .pin(let pin): return .passed(subject, "\(pin) of \(host) is forgotten", facts: ["pin": .string(pin)])
            case .all(let aside):
                let kept = aside.map { "; what couldn't be read is kept as \($0)" } ?? ""
                return .passed(subject, "all pins in \(statePath) are forgotten\(kept)")
            }
        } catch {
            return .failed(subject, error)
        }
    }
}
