import Glibc
import SnapshotBase

/// A device file that is to be a camera. It is examined after ffmpeg got no picture from it, to say why in plain words.
struct VideoDevice {
    let path: String

    /// The major number of all video4linux devices, in bits 8 to 19 of a device number.
    private static let major: dev_t = 81

    /// Why it can't be a camera, or can't be opened by this user; nil if neither is the case.
    var failure: Failure? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                return refusal("\(SystemError("stat"))", hint: "ls -l \(path)")
            }
            let hint = "plug the camera in; under systemd: sudo snapshot setup --camera \(path)"
            return refusal("there is no such device", hint: hint)
        }
        guard status.st_mode & S_IFMT == S_IFCHR, status.st_rdev >> 8 == Self.major else {
            return refusal("it isn't a video device", hint: "snapshot discover   # shows the cameras at this machine")
        }
        guard access(path, R_OK | W_OK) != 0 else { return nil }
        let user = UserAccount(geteuid())?.name ?? "USER"
        return refusal(
            "\(SystemError("open"))",
            hint: errno == EACCES ? "sudo usermod -aG video \(user)   # then log in again" : "ls -l \(path)")
    }

    private func refusal(_ why: String, hint: String) -> Failure {
        Failure(.camera(.file), "cannot open camera", path, why: why, hint: hint)
    }
}
