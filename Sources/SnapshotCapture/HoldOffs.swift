import SnapshotBase
import SnapshotState
import SnapshotStore

/// Credential hold-off: credentials that one side, "camera" or "store", refused are tried again after a delay that
/// grows from ten minutes to six hours, or at once when the settings change. It applies only to the settings that were
/// refused, so a run by hand with a wrong password doesn't hold off the service.
extension Run {
    /// Seconds until the present credentials may be tried again; nil if they may be tried now.
    func heldOffSeconds(_ side: String) -> Double? {
        record.holdOffs[side]?.remaining(settingsHMAC: credentialsHMAC(of: side), now: now, recordBoot: record.boot)
    }

    /// The failure to report while the store's credentials are held off; nil where the store may be asked.
    var heldOffStore: Failure? {
        heldOffSeconds("store").map {
            .heldOff(record.holdOffs["store"]?.code ?? .store(.credentials), "store", "", wait: $0)
        }
    }

    /// Starts or extends the hold-off, if the failure's kind is a refusal; a failed `credential_process` waits for one
    /// to ten minutes only. The first refusal of credentials that have worked before starts none, unless the
    /// camera warns that it will lock the account.
    mutating func holdOffIfRefused(by side: String, _ failure: Failure) {
        guard [.cameraRefused, .storeRefused].contains(failure.kind) else { return }
        guard !isFirstRefusal(by: side) || failure.warnsOfLock else { return }
        record.holdOffs[side] = .holdOff(
            after: record.holdOffs[side], failure.code, settingsHMAC: credentialsHMAC(of: side),
            now: settings.context.clock.now())
    }

    /// Whether these credentials have worked and are refused for the first time since; counts the refusal.
    private mutating func isFirstRefusal(by side: String) -> Bool {
        guard var login = record.logins?[side], login.settingsHMAC == credentialsHMAC(of: side) else { return false }
        login.refusals = (login.refusals ?? 0).adding(1)
        record.logins?[side] = login
        return login.refusals == 1
    }

    /// Notes that the present credentials were accepted, which ends their hold-off and, for the store, its stall.
    mutating func noteCredentialsAccepted(by side: String) {
        let login = AcceptedLogin(settingsHMAC: credentialsHMAC(of: side))
        if record.logins?[side] != login {
            if record.logins == nil { record.logins = [:] }
            record.logins?[side] = login
        }
        if record.holdOffs[side]?.settingsHMAC == login.settingsHMAC { record.holdOffs[side] = nil }
        if side == "store" { record.stall = nil }
    }

    /// Seconds left of the store's `Retry-After`; nil where it is over, or the store's settings have changed since.
    var storePause: Double? {
        record.storePause?.remaining(settingsHMAC: credentialsHMAC(of: "store"), now: now, recordBoot: record.boot)
    }

    /// Records the store's `Retry-After`, which later runs respect, and how long the attempt stalled.
    mutating func noteFailure(_ failure: StoreFailure) {
        noteStall(failure)
        guard failure.advice != .giveUp, let wait = failure.retryAfter else { return }
        record.storePause = Pause(
            since: settings.context.clock.now().moment, delaySeconds: wait.seconds,
            settingsHMAC: credentialsHMAC(of: "store"))
    }

    /// Marks each hold-off that began under other settings than the present ones, and deletes it once it is over.
    mutating func noteChangedSettings() {
        for side in ["camera", "store"] {
            guard let holdOff = record.holdOffs[side] else { continue }
            let isOfOthers = holdOff.settingsHMAC != credentialsHMAC(of: side)
            let isOver = holdOff.remaining(settingsHMAC: holdOff.settingsHMAC, now: now, recordBoot: record.boot) == nil
            record.holdOffs[side]?.isOfOtherSettings = isOfOthers ? true : nil
            if isOfOthers, isOver { record.holdOffs[side] = nil }
        }
    }

    /// The HMAC of the settings that decide about the login; it reveals nothing about them.
    func credentialsHMAC(of side: String) -> String {
        memory.hmac(of: side == "camera" ? settings.camera.fingerprint : settings.storeKind.fingerprint)
    }
}
