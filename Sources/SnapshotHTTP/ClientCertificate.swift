import CLibCrypto
import Glibc
import SnapshotBase
import SnapshotSettings

/// The PEM files of a client certificate and its private key; both may be in the same file.
package struct ClientCertificate: Equatable, Sendable {
    package let path: String
    package let keyPath: String
    /// The names of the settings that contain the paths, for messages.
    package let setting: String
    package let keySetting: String

    /// - Throws: a settings error where one of the files can't be read.
    package init(
        _ path: String, _ setting: Setting<String?>, key keyPath: String, _ keySetting: Setting<String?>,
        _ settings: Settings
    ) throws(Failure) {
        for (setting, file) in [(setting, path), (keySetting, keyPath)] {
            try settings.checkResponds(file, for: setting)
            guard access(file, R_OK) == 0 else {
                throw settings.refusal(
                    setting, rule: "must be a PEM file that this user can read: \(SystemError("open"))")
            }
            guard isRegularFile(file) else { throw settings.refusal(setting, rule: regularFileRule) }
        }
        (self.path, self.setting) = (path, setting.key)
        (self.keyPath, self.keySetting) = (keyPath, keySetting.key)
    }

    /// A text that changes when either file changes.
    package var identity: String { "\(fileIdentity(path)) \(fileIdentity(keyPath))" }

    /// Why the certificate cannot be used, in words; nil if it can. libcurl has the same error for all these reasons.
    package var flaw: String? {
        guard let certificate = Self.read(path, { shim_read_certificate($0, noPassphrase) }) else {
            return "\(setting) holds no certificate in PEM"
        }
        defer { shim_certificate_free(certificate) }
        guard let key = Self.read(keyPath, { shim_read_private_key($0, noPassphrase) }) else {
            return "\(keySetting) holds no private key in PEM, or one with a passphrase"
        }
        defer { shim_private_key_free(key) }
        guard shim_check_private_key(certificate, key) == 1 else {
            return "the private key doesn't belong to the client certificate"
        }
        if shim_compare_end(certificate) < 0 { return "the client certificate has expired" }
        if shim_compare_begin(certificate) > 0 {
            return "the client certificate isn't valid yet, or the clock is wrong"
        }
        return nil
    }

    private static func read(_ path: String, _ parse: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        guard let bytes = try? readNamedFile(path, limit: 1 << 20) else { return nil }
        // The BIO reads the bytes in place, so it must not outlive this closure.
        return bytes.withUnsafeBytes { raw in
            guard let bio = shim_bio_new(raw.baseAddress, Int32(clamping: raw.count)) else { return nil }
            defer { shim_bio_free(bio) }
            return parse(bio)
        }
    }
}

/// Refuses a passphrase; otherwise OpenSSL would ask for one at the terminal.
private func noPassphrase(
    _: UnsafeMutablePointer<CChar>?, _: Int32, _: Int32, _: UnsafeMutableRawPointer?
) -> Int32 { -1 }

/// A text that changes when the file changes; the path alone where its folder hangs.
package func fileIdentity(_ path: String) -> String {
    var found = stat()
    guard (try? NamedFile.checkResponds(path)) != nil, stat(path, &found) == 0 else { return path }
    return "\(path) \(found.st_ino) \(found.st_size) \(found.st_mtim.tv_sec)"
}
