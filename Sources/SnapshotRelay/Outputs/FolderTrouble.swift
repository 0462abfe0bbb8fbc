import Glibc
import SnapshotBase

/// Why nothing is written into an output's folder.
enum FolderTrouble: String, TroubleCode {
    case full = "folder-full"
    case denied = "folder-denied"
    case gone = "folder-gone"
    case away = "folder-away"
    case hangs = "folder-hangs"
    case stuck = "output-stuck"

    var words: String {
        switch self {
        case .full: "the disk is full"
        case .denied: "its folder can't be written"
        case .gone: "its folder is gone"
        case .away: "its disk isn't mounted"
        case .hangs: "its folder hangs"
        case .stuck: "ffmpeg no longer writes to it"
        }
    }

    var hint: String? {
        switch self {
        case .full: "free some space; RECORD_MAX_BYTES or RECORD_MIN_FREE keep recordings from taking all of it"
        case .denied: "check OUTPUT_DIR and its rights; under systemd the service needs ReadWritePaths= for it"
        case .gone: "mount the disk, or create the folder that a link leads to; the relay goes on by itself"
        case .away: "mount it, the relay goes on by itself; or choose another OUTPUT_DIR"
        case .hangs: "check whether the folder's server or disk responds; the relay goes on by itself"
        case .stuck: nil
        }
    }

    init(_ error: SystemError) {
        switch error.number {
        case ENOSPC, EDQUOT: self = .full
        case ENOENT, ENODEV, ENXIO, ENOTCONN, ESTALE, ENOMEDIUM, EHOSTDOWN: self = .gone
        default: self = .denied
        }
    }
}

/// The error where a folder can't be used now.
struct FolderFailure: Error {
    let trouble: FolderTrouble
    /// Words that replace the trouble's own, where more is known.
    var words: String?
    /// The error with which the relay ends if the trouble is `denied` at its start.
    var failure: Failure?

    init(_ failure: Failure) {
        let error = failure.cause as? SystemError
        trouble = error.map { FolderTrouble($0) } ?? .denied
        words = error.map { _ in "\(failure.which): \(failure.why)" }
        self.failure = failure
    }

    init(_ error: SystemError, _ path: String) {
        self.init(cannotWrite(path, error))
    }

    init(missingMount mount: String) {
        (trouble, words) = (.away, "no disk is mounted at \(mount)")
    }
}

/// The error for an output folder that can't be used.
func cannotWrite(_ path: String, _ error: SystemError) -> Failure {
    Failure(
        .relay(.outputFolder), "cannot write to", path, why: "\(error)",
        hint: "choose another folder with OUTPUT_DIR, or give this user the right to write there", cause: error)
}
