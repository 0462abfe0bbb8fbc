import Glibc
import SnapshotBase
import SnapshotSettings

/// Where answers go: the settings of systemd's units for root, else `./.env`.
package struct Target: Sendable {
    /// NAME of `snapshot@NAME.timer`; nil: the units without a name.
    let instance: String?
    let isSystem: Bool

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
    /// Where the units take secrets from.
    var credentials: String { "\(Owner.serviceSettings)/credentials" + (instance.map { "/\($0)" } ?? "") }
    var statePath: String { "/var/lib/snapshot" + (instance.map { "/\($0)" } ?? "") }
    var unit: String { instance.map { "snapshot@\($0)" } ?? "snapshot" }
    /// Whether there is a systemd that can be told of it.
    var hasSystemd: Bool { isSystem && fileExists("/run/systemd/system") }

    /// What is behind `snapshot COMMAND` to mean these settings.
    var option: String { instance == nil ? "" : " --config \(settingsPath)" }
    var setupOption: String { instance.map { " --instance \($0)" } ?? "" }
}
