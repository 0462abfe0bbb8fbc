import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// Stores into a folder. An object appears there complete, under its name, or not at all: temporary file, fsync,
/// rename, fsync of the directory.
///
/// Each state has one `put` at a time. If the folder is on another disk than the state, a forked copy of this process
/// writes the file, so that a process that a hanging disk blocks can be left behind.
package struct FilesystemStore: Store {
    let settings: FilesystemSettings
    let statePath: String
    package private(set) var learned: LearnedStore?

    package var address: String { settings.path }

    package init(settings: FilesystemSettings, statePath: String) {
        (self.settings, self.statePath) = (settings, statePath)
    }

    package mutating func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure) {
        let work = FolderWork(settings, statePath: statePath)
        let report = try FolderReport.of(
            work, reaching: work.folder(of: object), until: deadline, keeping: object.content.descriptor
        ) { work, send in work.put(object, send) }
        learned = report.learned(of: address)
        if let failure = report.failure { throw Self.failure(failure, path: settings.path + "/" + object.key) }
    }

    /// The failure that a child's report stands for, with the file's path in its message.
    package static func failure(_ reported: FolderReport.ReportedFailure, path: String) -> StoreFailure {
        if let mount = reported.missingMount { return notMounted(mount, path: path) }
        return failure(SystemError(reported.call, number: Int32(clamping: reported.number)), path: path)
    }

    /// The failure that a file system's error stands for, with the file's path in its message.
    package static func failure(_ error: SystemError, path: String) -> StoreFailure {
        let (code, scope, hint): (Failure.Code.Store, StoreFailure.Scope, String?) =
            switch error.number {
            case ENOSPC, EDQUOT: (.full, .store, "free some space, or set LOCAL_STORAGE_MAX_BYTES")
            case EROFS:
                (.denied, .store, Mount.readOnlyHint(path) ?? "the unit needs ReadWritePaths= for LOCAL_STORAGE_PATH")
            case EACCES, EPERM: (.denied, .store, "make LOCAL_STORAGE_PATH writable for this user")
            case ENAMETOOLONG: (.rejected, .object, "shorten KEY_TEMPLATE or CAMERA_NAME")
            case ENOTDIR, EEXIST, EISDIR:
                (
                    .rejected, .object,
                    "a file is where LOCAL_STORAGE_PATH or the key needs a folder, or the other way round"
                )
            case EINVAL, EILSEQ:
                (
                    .rejected, .object,
                    "this disk doesn't accept the file's name: FAT, exFAT and NTFS allow none of : * ? \" < > | in KEY_TEMPLATE and "
                        + "CAMERA_NAME"
                )
            case ENOENT:
                (.away, .store, "if a link in its path leads nowhere, mount its disk; snapshot check says more")
            case ENODEV, ENXIO, ENOTCONN, ESTALE, ENOMEDIUM, EHOSTDOWN: (.away, .store, "mount its disk again")
            default: (.error, .unclear, nil)
            }
        let failure = Failure(.store(code), "cannot write", path, why: "\(error)", hint: hint, cause: error)
        var result = StoreFailure(failure, .giveUp, scope)
        result.refusesKey = scope == .object
        return result
    }

    private static func notMounted(_ mount: String, path: String) -> StoreFailure {
        let failure = Failure(
            .store(.away), "cannot write", path, why: "no disk is mounted at \(mount)",
            hint: "mount it; if pictures are to go there without it: snapshot check --accept-folder")
        return StoreFailure(failure, .giveUp, .store)
    }
}

extension HTTPBody {
    /// The descriptor of a body that is a file.
    fileprivate var descriptor: Int32? {
        if case .file(let file, _, _) = self { file.descriptor } else { nil }
    }
}
