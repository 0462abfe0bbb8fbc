import Glibc
import SnapshotBase
import SnapshotSettings

/// Where answers are written: for root the settings of systemd's units, otherwise `./.env`.
package struct Target: Sendable {
    /// NAME of `snapshot@NAME.timer`; nil for `snapshot.timer`.
    let instance: String?
    /// Whether root sets up the systemd units.
    let isSystem: Bool

    /// The target for this process's user.
    /// - Throws: where the instance's name isn't valid, or a plain user names one.
    package init(instance: String?) throws(Failure) {
        isSystem = geteuid() == 0
        self.instance = instance
        guard let instance else { return }
        if let refusal = InstanceName.refusal(ofUnit: instance) { throw refusal }
        guard isSystem else {
            throw Failure(
                .own(.usage), "refused", "--instance", why: "cameras with units of their own are root's to set up",
                hint: "sudo snapshot setup --instance \(instance)")
        }
    }

    package var settingsPath: String {
        isSystem ? "\(Owner.serviceSettings)/\(instance ?? "snapshot").env" : ".env"
    }
    var webSettingsPath: String { isSystem ? "\(Owner.serviceSettings)/web.env" : ".env" }
    /// The directory from which the units read secrets.
    var credentials: String { "\(Owner.serviceSettings)/credentials" + (instance.map { "/\($0)" } ?? "") }
    var statePath: String { "/var/lib/snapshot" + (instance.map { "/\($0)" } ?? "") }
    var unit: String { instance.map { "snapshot@\($0)" } ?? "snapshot" }
    /// Whether systemd is running and gets the units.
    var hasSystemd: Bool { isSystem && fileExists("/run/systemd/system") }

    /// The option that makes `snapshot COMMAND` use these settings, with a blank in front.
    var option: String { instance == nil ? "" : " --config \(settingsPath)" }
    var setupOption: String { instance.map { " --instance \($0)" } ?? "" }
}
