import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotCapture
import SnapshotDiscover
import SnapshotKeys
import SnapshotSettings
import SnapshotState
import SnapshotStore

/// The settings of the check, as far as they are valid: one wrong value doesn't keep the rest from being checked.
struct CheckPlan: Sendable {
    private(set) var camera: CameraSettings?
    private(set) var store: (any StoreKind)?
    /// The hardware address by which a camera that doesn't answer is looked for; nil where none is set.
    private(set) var cameraMAC: String?
    private(set) var interval = Key.captureInterval.defaultValue
    private(set) var statePath = "./state"
    private(set) var spoolMaxBytes = Key.spoolMaxBytes.defaultValue
    private(set) var spoolMinFree = Key.spoolMinFree.defaultValue
    /// The addresses of the camera's video, the likeliest first; empty where it has none.
    private(set) var streams: [String] = []
    /// Whether the relay is configured.
    private(set) var relays = false
    private(set) var findings: [Finding] = []

    /// - Parameter lockedCredentials: a directory of secrets that the units read and this user may not.
    init(_ settings: Settings, lockedCredentials: String?) {
        noteFile(settings)
        let addresses = [Key.cameraURL, Key.cameraIP].map { key in
            read { () throws(Failure) in try settings.value(key)?.text ?? "" }
        }
        let hasCamera = addresses != ["", ""]
        if hasCamera {
            camera = read { () throws(Failure) in try CameraSettings(settings) }
        } else {
            noteNoCamera(settings)
        }
        store = read { () throws(Failure) in try UnreadStore.readOrReplace(settings) }
        if let remark = read({ () throws(Failure) in try KeyTemplate(settings) })?.remark {
            findings.append(.remark("settings", remark))
        }
        cameraMAC =
            read { () throws(Failure) in
                guard let text = try settings[Key.cameraMAC] else { return nil }
                guard let mac = hardwareAddress(text) else {
                    throw settings.refusal(Key.cameraMAC, rule: "must be six bytes such as ec:71:db:01:02:03")
                }
                return mac
            } ?? nil
        statePath = read { () throws(Failure) in try stateDirectory(settings) } ?? statePath
        interval = read { () throws(Failure) in try settings[Key.captureInterval] } ?? interval
        if hasCamera, let whole = read({ () throws(Failure) in try CaptureSettings(settings) }) {
            (spoolMaxBytes, spoolMinFree) = (whole.spoolBounds.maxBytes, whole.spoolBounds.minFree)
        }
        relays = !(read { () throws(Failure) in try settings[Key.streamMode] ?? "" } ?? "").isEmpty
        if let camera { streams = read { () throws(Failure) in try camera.kind.streams(camera, settings) } ?? [] }
        if let lockedCredentials, let camera, camera.password.isEmpty {
            noteLocked(lockedCredentials, settings)
            self.camera = nil
        }
    }

    /// The value, or nil and a finding.
    private mutating func read<Value>(_ value: () throws(Failure) -> Value) -> Value? {
        do throws(Failure) { return try value() } catch {
            if !findings.contains(where: { $0.text == "\(error)" }) { findings.append(.failed("settings", error)) }
            return nil
        }
    }

    private mutating func noteFile(_ settings: Settings) {
        let file = settings.path ?? "environment and defaults: there is neither ./.env nor \(Settings.systemPath)"
        findings.append(.passed("settings", file, facts: settings.path.map { ["file": .string($0)] } ?? [:]))
        findings += settings.warnings.map { .remark("settings", $0) }
        guard let path = settings.path, case .file? = (try? settings.value(Key.cameraPassword))?.origin else { return }
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o004 != 0 {
            findings.append(
                .remark(
                    "settings", "every user of this machine can read the password in \(path)", hint: "chmod o= \(path)")
            )
        }
    }

    private mutating func noteNoCamera(_ settings: Settings) {
        let areServiceSettings = Owner.isServices(settings.path)
        let instance = InstanceName.of(settingsPath: settings.path).map { " --instance \($0)" } ?? ""
        let hint = "\(areServiceSettings ? "sudo " : "")snapshot setup\(instance)   # asks for all that is needed"
        findings.append(
            .failed(
                "settings",
                .settings(
                    "no camera is set", why: "set CAMERA_IP (a Reolink) or CAMERA_URL (any other) first", hint: hint)))
    }

    private mutating func noteLocked(_ directory: String, _ settings: Settings) {
        findings.append(
            .failed(
                "settings",
                .settings(
                    "no password", why: "it may be in \(directory), which this user can't read",
                    hint: "sudo snapshot check" + (settings.path.map { " --config \($0)" } ?? ""))))
    }
}
