import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// The present settings and the answers so far. Nothing is written before all is answered.
struct Draft: Sendable {
    let target: Target
    let context: ProcessContext
    /// The settings file as it is; nil where there is none.
    private let before: SettingsText?
    private(set) var text: SettingsText
    /// Secrets that are in files of their own now.
    private var current: NamedValues<String> = [:]
    /// New secrets; an empty one removes its file.
    private(set) var secrets: NamedValues<String> = [:]
    /// Names of settings that were answered and aren't in the file yet.
    private var answers: [String] = []
    /// The size of the picture that a trial took, in bytes; nil where none was taken.
    var pictureBytes: Int?
    /// Whether the folder for pictures is created for the service at the end.
    var makesFolder = false

    private static let longest = 1 << 20

    init(_ target: Target, in context: ProcessContext) throws(Failure) {
        self.target = target
        self.context = Self.stripped(context)
        let path = target.settingsPath
        if !target.isSystem, let why = SettingsFile.whyNotTrusted() {
            throw .settings("cannot use", path, why: why, hint: "move it away first: mv \(path) \(path).old")
        }
        do throws(SystemError) {
            let bytes = try readFile(path, limit: Self.longest + 1)
            guard bytes.count <= Self.longest else { throw SystemError("read", number: E2BIG) }
            before = SettingsText(bytes)
        } catch {
            guard error.number == ENOENT else { throw .settings("cannot read", path, why: "\(error)") }
            before = nil
        }
        text = before ?? SettingsText(Array("# Settings of snapshot; all of them: man snapshot.env\n".utf8))
        if target.isSystem { current = try Self.credentials(in: target.credentials) }
        // The present settings must be valid before anything is added.
        let present = try settings()
        guard target.isSystem else { return }
        if try present[Key.statePath] == nil { set(Key.statePath, target.statePath) }
        if let instance = target.instance, try present.value(Key.cameraName) == nil { set(Key.cameraName, instance) }
        if try present.value(Key.localStoragePath) == nil {
            set(Key.localStoragePath, "/var/lib/snapshot/snapshots")
        }
    }

    var isNew: Bool { before == nil }
    var isChanged: Bool { before != text || !secrets.entries.isEmpty }

    /// The settings as they would be once they are written, with the secrets.
    func settings() throws(Failure) -> Settings {
        var all = current
        for (name, secret) in secrets.entries { all[name] = secret }
        return try Settings(
            contents: text.bytes, of: target.settingsPath, secrets: all, answers: answers, in: context)
    }

    mutating func set(_ setting: Setting<some Sendable>, _ value: String) { set(name: setting.key, value) }

    private mutating func set(name: String, _ value: String) {
        text.set(name, to: value)
        answers.append(name)
    }

    /// Sets a secret, which goes into a file of its own if the units read it from one.
    mutating func setSecret(_ key: SettingDeclaration, _ value: String) {
        Secrets.ofThisRun.register(value)
        secrets[key.key] = value
        // Clear the old secret in the settings file, and the name of another file for it.
        for name in [key.key, key.key + "_FILE"] { text.set(name, to: "") }
    }

    /// Sets any setting after checking it; throws and changes nothing where it is refused.
    mutating func set(_ key: SettingDeclaration, _ value: String) throws(Failure) {
        let old = self
        if let refusal = Self.refusal(key, value) { throw refusal }
        if key.isSecret { setSecret(key, value) } else { set(name: key.key, value) }
        if let failure = SettingReport(key, try settings()).failure {
            self = old
            throw failure
        }
    }

    /// Why no line of a settings file can hold the value; nil where one can.
    private static func refusal(_ key: SettingDeclaration, _ value: String) -> Failure? {
        let lineEnds: [Unicode.Scalar] = key.kind.mayHaveLines ? ["\n", "\r"] : []
        guard value.unicodeScalars.contains(where: { $0.isControl && !lineEnds.contains($0) }) else { return nil }
        let shown = key.shown(value).map { "='\($0.printable(limit: 120))'" } ?? ""
        return .settings(
            "refused", key.key + shown, why: "must not contain line breaks or other control characters",
            hint: key.isSecret ? "its file must hold the secret alone, on one line" : nil)
    }

    /// The secrets that the units read from files: all but that of `snapshot-web`.
    static let unitSecrets = Key.all.filter { $0.isSecret && $0.key != Key.webToken.key }

    /// The files of secrets that were there before and stay as they are.
    var keptFiles: [String] {
        current.entries.map(\.name).filter { secrets[$0] == nil }.map { "\(target.credentials)/\($0.lowercased())" }
    }

    private static func credentials(in folder: String) throws(Failure) -> NamedValues<String> {
        var found: NamedValues<String> = [:]
        for key in unitSecrets {
            let path = "\(folder)/\(key.key.lowercased())"
            do throws(SystemError) {
                var bytes = try readFile(path, limit: 65536)
                while let last = bytes.last, [10, 13].contains(last) { bytes.removeLast() }
                let secret = String(decoding: bytes, as: UTF8.self)
                Secrets.ofThisRun.register(secret)
                if !secret.isEmpty { found[key.key] = secret }
            } catch  where error.number == ENOENT { continue } catch {
                throw .settings("cannot read", path, why: "\(error)")
            }
        }
        return found
    }

    /// An environment as a unit or cron has it: settings in this terminal's environment don't count.
    private static func stripped(_ context: ProcessContext) -> ProcessContext {
        var environment = Environment()
        for name in ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ"] { environment[name] = context.environment[name] }
        var context = context
        context.environment = environment
        return context
    }
}
