import SnapshotBase
import SnapshotCamera
import SnapshotDiscover
import SnapshotHTTP

/// Looks for a camera that doesn't answer at its IP address. A router may have given it another one, so the camera is
/// recognised by its hardware address.
struct MovedCamera {
    let settings: CameraSettings
    let mac: String

    private static let unreached: Set<Failure.Code> = [.camera(.unreachable), .camera(.timeout), .camera(.unresolved)]

    /// - Returns: the findings. If the camera answers elsewhere, the first finding that it wasn't reached gets the
    ///   present address as its hint.
    func withNewAddress(_ findings: [Finding]) -> [Finding] {
        guard case .reolink(let host) = settings.kind.trial, let name = HostAndPort(host, defaultPort: 80)?.name,
            name.hasPrefix("127.") == false,
            let index = findings.firstIndex(where: { finding in
                finding.isFailure && finding.code.map(Self.unreached.contains) ?? false
            })
        else { return findings }
        let devices = Discovery(stop: settings.context.stop).run().devices
        guard let address = devices.first(where: { $0.mac == mac })?.address, address.description != name else {
            return findings
        }
        var findings = findings
        findings[index].hint = "discovery sees it at \(address) now: set CAMERA_IP=\(address), or run snapshot setup"
        findings[index].facts["seen_at"] = .string("\(address)")
        return findings
    }
}
