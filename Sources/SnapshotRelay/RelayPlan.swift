import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotMedia
import SnapshotSettings

/// The relay's settings, read and checked before anything is changed.
package struct RelayPlan: Sendable {
    package typealias Audio = StreamAudio

    package var camera: CameraSettings
    /// The URLs at which the camera may have its stream, without user and password, the likeliest first.
    package var candidates: [String]
    package var audio: Audio
    package var shared: SharedOutputSettings
    /// The outputs; at least one.
    package var outputs: [any RelayOutput]

    /// - Parameter kinds: the types of outputs to choose from.
    package init(
        _ settings: Settings, kinds: [any RelayOutput.Type] = RelayOutputs.all
    ) throws(Failure) {
        camera = try CameraSettings(settings)
        candidates = try camera.kind.streams(camera, settings)
        guard !candidates.isEmpty else {
            throw .settings(
                "refused", "CAMERA_URL", why: "the relay needs video, and \(camera.kind.name) has none",
                hint: "set CAMERA_IP for a Reolink, or CAMERA_URL=rtsp://…")
        }
        audio = try settings[Key.streamAudio]
        shared = try SharedOutputSettings(settings, camera: camera.name)
        outputs = try RelayOutputs.read(settings, shared, kinds: kinds)
    }

    package var modes: [String] { outputs.map(\.mode) }
    package var context: ProcessContext { shared.context }
    package var stallTimeout: Duration { shared.stallTimeout }
    package var statePath: String { shared.statePath }

    /// The camera's stream at `address`.
    /// - Parameter digest: whether the camera has offered Digest to this relay.
    package func stream(_ address: String, digest: OfferedDigest) -> PullGateway.Stream {
        var stream = PullGateway.Stream(camera, url: address) { [camera, statePath] host, deadline throws(Failure) in
            try CameraTrust(camera, statePath: statePath).trust(for: host, deadline: deadline)
        }
        stream.batchTime = .milliseconds(200)
        stream.digest = digest
        return stream
    }

    /// Which camera a remembered address belongs to: other settings give other candidates.
    package var cameraIdentity: String { candidates.joined(separator: " ") }
}
