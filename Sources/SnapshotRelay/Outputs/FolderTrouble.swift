import Glibc
import SnapshotBase

/// Why nothing comes into an output's folder.
enum FolderTrouble: String, TroubleCode {
    case full = "folder-full"
    case denied = "folder-denied"
    case gone = "folder-gone"
    case stuck = "output-stuck"

    var words: String {
        switch self {
        case .full: "the disk is full"
        case .denied: "its folder can't be written"
        case .gone: "its folder is gone"
        case .stuck: "ffmpeg wrote nothing more to it"
        }
    }

    var hint: String? {
        switch self {
        case .full: "free some space; RECORD_MAX_BYTES or RECORD_MIN_FREE keep recordings from taking all of it"
        case .denied: "check OUTPUT_DIR and its rights; under systemd the service needs ReadWritePaths= for it"
        case .gone: "is the disk of OUTPUT_DIR mounted? then restart the relay"
        case .stuck: nil
        }
    }

    /// Why nothing can be written to a folder.
    init?(of path: String) {
        // It isn't made anew: on a disk that is no longer mounted it would fill the one below.
        if !fileExists(path) {
            self = .gone
        } else if let free = freeBytes(path), free < 512 << 10 {
            self = .full
        } else if access(path, W_OK) != 0 {
            self = .denied
        } else {
            return nil
        }
    }
}

/// An output folder that can't be used.
func cannotWrite(_ path: String, _ error: SystemError) -> Failure {
    Failure(
        .relay(.outputFolder), "cannot write to", path, why: "\(error)",
        hint: "choose another place with OUTPUT_DIR, or give this user the right to write there", cause: error)
}
