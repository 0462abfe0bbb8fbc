import Glibc
import SnapshotBase

extension Settings {
    /// The content of a file that these settings name.
    /// - Throws: `SystemError` with EFBIG if it is larger than `limit` bytes.
    package func contents(of path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let bytes: [UInt8]
        switch filesRead[path] {
        case .success(let known)?: bytes = known
        // A folder that hung may respond again.
        case .failure(let error)? where error.number != ETIME: throw error
        case .failure, nil: return try readNamedFile(path, limit: limit, cannotHang: isSystemdCredential(path))
        }
        guard bytes.count <= limit else { throw SystemError("read", number: EFBIG) }
        return bytes
    }

    /// Whether it is in the credentials directory, which can't hang: systemd's, in RAM, or `/etc/snapshot/credentials`.
    private func isSystemdCredential(_ path: String) -> Bool {
        environment["CREDENTIALS_DIRECTORY"].map { !$0.isEmpty && isBelow(path, $0) } ?? false
    }

    /// Whether a file may exist. True also where reading it has failed before, and where its folder may hang, since a
    /// folder that may hang isn't accessed here. Where the file is in fact missing, reading it fails.
    package func mayExist(_ path: String) -> Bool {
        filesRead[path] != nil || FileSystems.mountThatMayHang(path) != nil || fileExists(path)
    }

    /// Checks that the folder of a file that `setting` names responds. Call it before any other access to the file.
    /// - Throws: where the folder hangs.
    package func checkResponds(_ path: String, for setting: Setting<some Sendable>) throws(Failure) {
        do throws(SystemError) { try NamedFile.checkResponds(path) } catch {
            throw Self.unreadable(path, setting.key, error)
        }
    }

    private static func unreadable(_ path: String, _ key: String, _ error: SystemError) -> Failure {
        .settings(
            "cannot read \(key) from", path, why: why(error), hint: error.hint(reading: path), cause: error)
    }

    func read(_ path: String, for key: SettingDeclaration) throws(Failure) -> Value? {
        var bytes: [UInt8]
        do { bytes = try contents(of: path, limit: 65536) } catch {
            throw Self.unreadable(path, key.key, error)
        }
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            bytes.removeLast()
        }
        guard let text = String(validating: withoutByteOrderMark(bytes), as: UTF8.self) else {
            throw .settings("cannot read \(key.key) from", path, why: "not UTF-8 text")
        }
        return text.isEmpty ? nil : Value(text: text, origin: .credential(path: path))
    }

    private static func why(_ error: SystemError) -> String {
        error.number == ETIMEDOUT ? "it is a pipe, and nobody writes into it" : "\(error)"
    }
}
