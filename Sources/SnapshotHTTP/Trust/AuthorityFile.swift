import Glibc
import SnapshotBase
import SnapshotSettings

/// The private certificate authorities that every upload trusts, if any are named.
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
