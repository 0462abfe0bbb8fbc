import SnapshotBase
import SnapshotState
import SnapshotStore

/// Credential hold-off: credentials that the camera or the store ("camera", "store") refused are tried again after a
/// delay that grows from ten minutes to six hours, or at once when the settings change. It applies only to the settings
/// that were refused, so a run by hand with a wrong password doesn't hold off the service.
extension Run {
    /// Seconds until the present credentials may be tried again; nil if they may be tried now.
    func heldOffSeconds(_ who: String) -> Double? {
        record.holdOffs[who]?.remaining(settings: credentialsDigest(of: who), now: now, recordBoot: record.boot)
    }

    /// The failure to report while the store's credentials are held off; nil where the store may be asked.
    var heldOffStore: Failure? {
        heldOffSeconds("store").map {
            .heldOff(record.holdOffs["store"]?.code ?? .store(.credentials), "store", "", wait: $0)
        }
    }

    /// Starts or extends the hold-off, if the failure is a refusal of credentials; a failed `credential_process` waits
    /// for one to ten minutes only. The first refusal of credentials that have worked before starts none, unless the
    /// camera warns that it will lock the account.
    mutating func startHoldOff(_ who: String, after failure: Failure) {
        guard [.cameraRefused, .storeRefused].contains(failure.kind) else { return }
        guard !isFirstRefusal(who) || failure.warnsOfLock else { return }
        record.holdOffs[who] = .after(
            record.holdOffs[who], failure.code, settings: credentialsDigest(of: who), now: settings.context.clock.now())
    }

    /// Whether these credentials have worked and are refused for the first time since; counts the refusal.
    private mutating func isFirstRefusal(_ who: String) -> Bool {
        guard var login = record.logins?[who], login.settings == credentialsDigest(of: who) else { return false }
        login.refusals = (login.refusals ?? 0).adding(1)
        record.logins?[who] = login
        return login.refusals == 1
    }

    /// Notes that the present credentials were accepted, and ends their hold-off.
    mutating func endHoldOff(_ who: String) {
        let login = AcceptedLogin(settings: credentialsDigest(of: who))
        if record.logins?[who] != login {
            if record.logins == nil { record.logins = [:] }
            record.logins?[who] = login
        }
        if record.holdOffs[who]?.settings == login.settings { record.holdOffs[who] = nil }
        if who == "store" { record.stall = nil }
    }

    /// Seconds left of the store's `Retry-After`; nil where it is over, or was sent to other settings.
    var storePause: Double? {
        record.storePause?.remaining(settings: credentialsDigest(of: "store"), now: now, recordBoot: record.boot)
    }

    /// Records the store's `Retry-After`, which later runs respect, and how long the attempt stalled.
    mutating func noteFailure(_ failure: StoreFailure) {
        noteStall(failure)
        guard failure.advice != .giveUp, let wait = failure.retryAfter else { return }
        record.storePause = HoldOff(
            since: settings.context.clock.now().moment, delaySeconds: wait.seconds,
            settings: credentialsDigest(of: "store"))
    }

    /// Marks the hold-offs of other settings than the present ones, and deletes those of them that are over.
    mutating func noteChangedSettings() {
        for who in ["camera", "store"] {
            guard let holdOff = record.holdOffs[who] else { continue }
            let isOfOthers = holdOff.settings != credentialsDigest(of: who)
            let isOver = holdOff.remaining(settings: holdOff.settings, now: now, recordBoot: record.boot) == nil
            record.holdOffs[who]?.isOfOtherSettings = isOfOthers ? true : nil
            if isOfOthers, isOver { record.holdOffs[who] = nil }
        }
    }

    /// The keyed digest of the settings that decide about the login; it reveals nothing about them.
    func credentialsDigest(of who: String) -> String {
        memory.digest(who == "camera" ? settings.camera.fingerprint : settings.store.fingerprint)
    }
}
