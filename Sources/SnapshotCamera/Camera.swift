import Glibc
import SnapshotBase
import SnapshotHTTP

/// A source of still pictures.
///
/// `snapshot` returns one picture's bytes as received; `Picture` validates them. It ends by the deadline and keeps at
/// most `CameraSettings.maxBytes` bytes. After a failure it may try another way that the camera may support, such as
/// another form of login. It never repeats an attempt or sends refused credentials again: that is left to the next run.
package protocol Camera {
    mutating func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8]
    /// Logs out of the session in `memory`. Called when the memory can't be stored.
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
