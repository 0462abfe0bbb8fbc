import Glibc
import SnapshotBase
import SnapshotHTTP

/// Something that gives one still picture.
///
/// `snapshot` asks once and returns the bytes as they came; it is the gate, not the camera, that says whether they are
/// a picture. It ends by the deadline, keeps at most `CameraSettings.maxBytes`, and asks with credentials at most once:
/// trying again is the next run's business.
package protocol Camera {
    mutating func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8]
    /// Ends what `memory` holds open: nobody will remember it.
    func endSession(_ memory: inout CameraMemory)
}

extension Camera {
    package func endSession(_ memory: inout CameraMemory) {}
}

/// The camera that the settings name.
package func makeCamera(
    _ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log
) -> any Camera {
    settings.kind.camera(settings, client: client, trust: trust, log: log)
}
