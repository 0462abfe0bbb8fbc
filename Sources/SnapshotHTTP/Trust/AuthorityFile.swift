import Glibc
import SnapshotBase
import SnapshotSettings

/// The file of private certificate authorities that every upload trusts; nil if none is set.
/// - Parameter first: a setting that takes precedence.
package func authorityFile(_ settings: Settings, first: Setting<String?>? = nil) throws(Failure) -> String? {
    for key in [first, Key.curlCABundle, Key.sslCertFile] {
        guard let key, let path = try settings[key] else { continue }
        guard access(path, R_OK) == 0 else {
            throw settings.refusal(key, rule: "must be a readable file of certificates")
        }
        return path
    }
    return nil
}
