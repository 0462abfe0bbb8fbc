import Glibc
import SnapshotBase
import SnapshotSettings

/// The file of private certificate authorities that uploads trust, and cameras with CAMERA_TLS_VERIFY=ca; nil if none
/// is set.
/// - Parameter first: a setting that takes precedence.
package func authorityFile(_ settings: Settings, first: Setting<String?>? = nil) throws(Failure) -> String? {
    func file(_ key: Setting<String?>) throws(Failure) -> String? {
        guard let path = try settings[key] else { return nil }
        try settings.checkResponds(path, for: key)
        guard access(path, R_OK) == 0 else {
            throw settings.refusal(key, rule: "must be a readable file of certificates")
        }
        guard isRegularFile(path) else { throw settings.refusal(key, rule: regularFileRule) }
        return path
    }
    if let first, let path = try file(first) { return path }
    if let path = try file(Key.curlCABundle) { return path }
    return try file(Key.sslCertFile)
}

/// The rule for a file that libcurl opens.
let regularFileRule = "must be a regular file: libcurl would wait for a pipe's writer for ever"

func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
