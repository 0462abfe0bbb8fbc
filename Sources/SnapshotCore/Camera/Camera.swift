import Glibc
import SnapshotBase

/// Something that gives one still picture.
///
/// `snapshot` asks once and returns the bytes as they came; it is the gate, not the camera, that says whether they are
/// a picture. It ends by the deadline, keeps at most `Picture.maximumBytes`, and asks with credentials at most once:
/// trying again is the next run's business.
package protocol Camera {
    mutating func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8]
}

/// The camera that the settings name.
package func makeCamera(_ settings: CameraSettings, client: HTTPClient, log: Log) -> any Camera {
    switch settings.source {
    case .reolink(let host): ReolinkCamera(settings: settings, host: host, client: client, log: log)
    case .http(let url): HTTPCamera(settings: settings, url: url, client: client)
    case .rtsp, .v4l2: FFmpegCamera(settings: settings)
    case .file(let path): FileCamera(path: path)
    }
}

/// A picture in a file, e.g. one that another program keeps fresh.
struct FileCamera: Camera {
    let path: String

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            let file = try FileHandle(opening: path, O_RDONLY | O_NONBLOCK)
            guard try file.status().st_mode & S_IFMT == S_IFREG else {
                throw SystemError("open", number: EINVAL)
            }
            let bytes = try file.readAll(limit: Picture.maximumBytes + 1)
            guard bytes.count <= Picture.maximumBytes else { throw SystemError("read", number: EFBIG) }
            return bytes
        } catch {
            throw Failure(
                .camera, code: "camera-file", "cannot read picture", path,
                why: error.number == EINVAL ? "it isn't a regular file" : "\(error)",
                hint: "CAMERA_URL=file: wants the path of a JPEG file")
        }
    }
}
