import SnapshotBase
import SnapshotState
import SnapshotStore

/// Credentials of "camera" or "store" that were refused: tried again only slowly, until the settings change. Some programs
/// share a state with other settings, such as a run by hand that has no password; each keeps to what was refused it.
extension Run {
    /// Seconds until the present credentials may be tried again; nil if they may now.
    func holdOff(_ who: String) -> Double? {
        record.holdOffs[who]?.remaining(settings: credentials(of: who), now: now, recordBoot: record.boot)
    }

    /// Why the store isn't asked at present; nil where it may be.
    var heldOffStore: Failure? {
        holdOff("store").map {
            .heldOff(record.holdOffs["store"]?.code ?? .store(.credentials), "store", "", wait: $0)
        }
    }

    mutating func holdOff(_ who: String, after failure: Failure) {
        guard [.cameraRefused, .storeRefused].contains(failure.kind) else { return }
        guard !isFirstRefusal(who) || failure.warnsOfLock else { return }
        record.holdOffs[who] = .after(
            record.holdOffs[who], failure.code, settings: credentials(of: who), now: settings.context.clock.now())
    }

    /// Whether this is the first refusal of credentials that have worked; counts it.
    private mutating func isFirstRefusal(_ who: String) -> Bool {
        guard var login = record.logins?[who], login.settings == credentials(of: who) else { return false }
        login.refusals = (login.refusals ?? 0).adding(1)
        record.logins?[who] = login
        return login.refusals == 1
    }

    /// The present credentials were taken.
    mutating func endHoldOff(_ who: String) {
        let login = Login(settings: credentials(of: who))
        if record.logins?[who] != login {
            if record.logins == nil { record.logins = [:] }
            record.logins?[who] = login
        }
        if record.holdOffs[who]?.settings == login.settings { record.holdOffs[who] = nil }
        if who == "store" { record.standstill = nil }
    }

    /// Seconds for which the store still wants to be left alone; nil once they are over, or with other settings.
    var storeRest: Double? {
        record.storeRest?.remaining(settings: credentials(of: "store"), now: now, recordBoot: record.boot)
    }

    mutating func rest(after failure: StoreFailure) {
        noteStandstill(failure)
        guard failure.advice != .giveUp, let wait = failure.retryAfter else { return }
        record.storeRest = HoldOff(
            since: settings.context.clock.now().moment, delaySeconds: wait.seconds,
            settings: credentials(of: "store"))
    }

    mutating func noteChangedSettings() {
        for who in ["camera", "store"] {
            guard let holdOff = record.holdOffs[who] else { continue }
            let isPast = holdOff.settings != credentials(of: who)
            let isOver = holdOff.remaining(settings: holdOff.settings, now: now, recordBoot: record.boot) == nil
            record.holdOffs[who]?.isPast = isPast ? true : nil
            if isPast, isOver { record.holdOffs[who] = nil }
        }
    }

    func credentials(of who: String) -> String {
        memory.digest(who == "camera" ? settings.camera.fingerprint : settings.store.fingerprint)
    }
}
