import Glibc
import SnapshotBase

/// The settings file of a run: the one named by `--config`, else `./.env`, else `/etc/snapshot/snapshot.env`.
package struct SettingsFile {
    let path: String
    let bytes: [UInt8]

    static let longest = 1 << 20

    init(path: String, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }

    /// Reads a file that the user named, which is trusted whoever owns it.
    init(named path: String) throws(Failure) {
        do {
            bytes = try readNamedFile(path, limit: Self.longest)
            self.path = path
        } catch { throw Self.unreadable(path, error) }
    }

    /// Looks for a settings file if none was named.
    /// - Parameter warn: called with a sentence about a `./.env` that is not used.
    static func find(_ warn: (String) -> Void) throws(Failure) -> SettingsFile? {
        let local = ".env"
        do throws(Distrust) {
            if let file = try SettingsFile(trusting: local) { return file }
        } catch {
            warn("\(local) is not used: \(error.why); to use it all the same, give --config \(local)")
        }
        // A file in a folder that this user may not enter is reported as unreadable.
        let mayHang = FileSystems.mountThatMayHang(Settings.systemPath) != nil
        guard mayHang || access(Settings.systemPath, F_OK) == 0 || errno == EACCES else { return nil }
        return try SettingsFile(named: Settings.systemPath)
    }

    /// Why a `./.env` is somebody else's, so that nothing may be taken from it; nil if it isn't, or there is none.
    package static func whyNotTrusted() -> String? {
        do throws(Distrust) { _ = try SettingsFile(trusting: ".env") } catch {
            return error.isForeign ? error.why : nil
        }
        return nil
    }

    func entries() throws(Failure) -> [Dotenv.Entry] {
        guard bytes.count <= Self.longest else { throw Self.unreadable(path, SystemError("read", number: EFBIG)) }
        return try Dotenv.parse(bytes, path: path)
    }

    /// Why a file in the working folder is not used.
    private struct Distrust: Error {
        let why: String
        /// Whether somebody else may have written the file.
        var isForeign = true
    }

    /// A `.env` in the working folder may belong to another program, or to someone who hopes that root runs there. It
    /// is used only if no one but root and this user can write it, and if it contains a setting of ours.
    private init?(trusting path: String) throws(Distrust) {
        do throws(SystemError) { try NamedFile.checkResponds(path) } catch {
            throw Distrust(why: "it can't be read: \(error)")
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Distrust(why: "it isn't a regular file") }
        let isTrusted: Bool
        let isInTrustedFolder: Bool
        do throws(SystemError) {
            let file = try FileHandle(opening: path, O_RDONLY | O_NOFOLLOW)
            isTrusted = try file.isWritableByOwnersOnly()
            let folder = try FileHandle(opening: ".", O_RDONLY | O_DIRECTORY)
            isInTrustedFolder = try geteuid() == 0 ? folder.isWritableByOwnersOnly() : true
            bytes = isTrusted && isInTrustedFolder ? try file.readAll(limit: Self.longest + 1) : []
        } catch {
            throw Distrust(why: "it can't be read: \(error)")
        }
        self.path = path
        let owner = geteuid() == 0 ? "isn't root" : "is neither you nor root"
        guard isTrusted else { throw Distrust(why: "its owner \(owner), or others can write it") }
        guard isInTrustedFolder else { throw Distrust(why: "its folder's owner isn't root, or others can write there") }
        guard Dotenv.keys(bytes).contains(where: { Self.isOurs(String($0)) }) else {
            throw Distrust(why: "it holds no setting of snapshot", isForeign: false)
        }
    }

    /// Whether `key` shows that the file is ours: names that many other programs use do not.
    private static func isOurs(_ key: String) -> Bool {
        let isShared =
            key.hasPrefix("AWS_") || key.hasPrefix("SSL_") || key == "CURL_CA_BUNDLE" || key.hasSuffix("_PROXY")
        return !isShared && Key.isKnown(key)
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> Failure {
        let hint =
            error.number == EACCES
            ? "use sudo: snapshot then works as the owner of STATE_PATH; or see who may read it: ls -l \(path)"
            : error.hint(reading: path)
        let why = error.number == ETIMEDOUT ? "it is a pipe, and nobody writes into it" : "\(error)"
        return .settings("cannot read settings file", path, why: why, hint: hint, cause: error)
    }
}
