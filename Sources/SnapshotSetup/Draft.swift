import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// The settings as they stand and as they are to be. Nothing of it is written until all is answered.
struct Draft: Sendable {
    let target: Target
    let context: ProcessContext
    private let before: SettingsText?
    private(set) var text: SettingsText
    /// Those that lie in files of their own, and new ones; an empty one goes away.
    private var standing: Named<String> = [:]
    private(set) var secrets: Named<String> = [:]
    /// The settings that aren't in the file yet.
    private var answers: [String] = []
    /// Bytes of a picture that was taken for this; nil where none was.
    var pictureBytes: Int?
    /// The folder for pictures is made for the service at the end.
    var makesFolder = false

    private static let longest = 1 << 20

    init(_ target: Target, in context: ProcessContext) throws(Failure) {
        self.target = target
        self.context = Self.stripped(context)
        let path = target.settingsPath
        do throws(SystemError) {
            let bytes = try readFile(path, limit: Self.longest + 1)
            guard bytes.count <= Self.longest else { throw SystemError("read", number: E2BIG) }
            before = SettingsText(bytes)
        } catch {
            guard error.number == ENOENT else { throw .settings("cannot read", path, why: "\(error)") }
            before = nil
        }
        text = before ?? SettingsText(Array("# Settings of snapshot; all of them: man snapshot.env\n".utf8))
        if target.isSystem { standing = try Self.credentials(in: target.credentials) }
        // What is there has to be understood before anything is added to it.
        let standing = try settings()
        guard target.isSystem else { return }
        if try standing[Key.statePath] == nil { set(Key.statePath, target.statePath) }
        if let instance = target.instance, try standing.value(Key.cameraName) == nil { set(Key.cameraName, instance) }
        if try standing.value(Key.localStoragePath) == nil {
            set(Key.localStoragePath, "/var/lib/snapshot/snapshots")
        }
    }

    var isNew: Bool { before == nil }
    var isChanged: Bool { before != text || !secrets.entries.isEmpty }

    /// As they would be, with the secrets that lie beside them.
    func settings() throws(Failure) -> Settings {
        var all = standing
        for (name, secret) in secrets.entries { all[name] = secret }
        return try Settings(
            contents: text.bytes, of: target.settingsPath, secrets: all, answers: answers, in: context)
    }

    mutating func set(_ setting: Setting<some Sendable>, _ value: String) { set(name: setting.key, value) }

    private mutating func set(name: String, _ value: String) {
        text.set(name, to: value)
        answers.append(name)
    }

    /// A secret lies in a file of its own where the units take it from one.
    mutating func setSecret(_ key: SettingDeclaration, _ value: String) {
        Secrets.ofThisRun.note(value)
        secrets[key.key] = value
        // Neither an old one nor another file for it counts any more.
        for name in [key.key, key.key + "_FILE"] { text.set(name, to: "") }
    }

    /// Any setting by its name, with the rules of its kind.
    mutating func set(_ key: SettingDeclaration, _ value: String) throws(Failure) {
        let old = self
        if key.isSecret { setSecret(key, value) } else { set(name: key.key, value) }
        if let failure = SettingReport(key, try settings()).failure {
            self = old
            throw failure
        }
    }

    /// What the units take from files: all secrets but the web front's.
    static let unitSecrets = Key.all.filter { $0.isSecret && $0.key != Key.webToken.key }

    private static func credentials(in folder: String) throws(Failure) -> Named<String> {
        var found: Named<String> = [:]
        for key in unitSecrets {
            let path = "\(folder)/\(key.key.lowercased())"
            do throws(SystemError) {
                var bytes = try readFile(path, limit: 65536)
                while let last = bytes.last, [10, 13].contains(last) { bytes.removeLast() }
                let secret = String(decoding: bytes, as: UTF8.self)
                Secrets.ofThisRun.note(secret)
                if !secret.isEmpty { found[key.key] = secret }
            } catch  where error.number == ENOENT { continue } catch {
                throw .settings("cannot read", path, why: "\(error)")
            }
        }
        return found
    }

    /// The environment of a unit or of cron, whatever this terminal's is: no setting in it.
    private static func stripped(_ context: ProcessContext) -> ProcessContext {
        var environment = Environment()
        for name in ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ"] { environment[name] = context.environment[name] }
        var context = context
        context.environment = environment
        return context
    }
}
