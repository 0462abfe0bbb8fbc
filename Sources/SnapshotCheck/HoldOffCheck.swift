import SnapshotBase
import SnapshotCamera
import SnapshotState

/// Reports and ends credential hold-offs, during which captures don't try credentials that were refused.
struct HoldOffCheck {
    let plan: CheckPlan
    let now: Now

    /// A remark for each hold-off. The check itself tries the credentials nevertheless.
    func findings() -> [Finding] {
        guard case .record(let record) = StateRing(reading: plan.statePath).content else { return [] }
        return heldOff(record).map { peer, wait in
            let isProcess = record.holdOffs[peer]?.code == .store(.credentialProcess)
            let (what, now) =
                isProcess
                ? ("credential_process failed: captures run it", "runs it")
                : ("the \(peer) refused the credentials: captures try them", "tries them")
            return .remark(
                "hold-off", "\(what) again in \(inWords(Int(wait.rounded(.up)))), this check \(now) once now",
                hint: "\(isProcess ? "" : "correct them: ")changed settings are tried at once")
        }
    }

    /// Ends hold-offs whose credentials have just been accepted, e.g. because the password was corrected in the camera.
    /// The record that it writes changes no counter.
    /// - Parameter accepted: who accepted its credentials: `camera`, `store`.
    func release(_ accepted: Set<String>) -> [Finding] {
        guard case .record(let seen) = StateRing(reading: plan.statePath).content,
            heldOff(seen).contains(where: { accepted.contains($0.peer) })
        else { return [] }
        do throws(Failure) {
            guard var state = try StateDirectory.open(plan.statePath), var record = state.last else {
                return [
                    .remark(
                        "hold-off", "captures still wait, since a capture that is under way holds the lock",
                        hint: "snapshot check   # once more")
                ]
            }
            let names = heldOff(record).map(\.peer).filter(accepted.contains)
            for name in names {
                record.holdOffs[name] = nil
                record.logins?[name]?.refusals = nil
            }
            if names.contains("camera") { record.postponement = nil }
            (record.outcome, record.written) = (Outcome(result: .none), now.moment)
            try state.write(record)
            return names.map { .passed("hold-off", "the \($0) takes the credentials again: captures try them at once") }
        } catch {
            return [
                .remark("hold-off", "captures still wait, since the state can't be changed: \(error)", hint: error.hint)
            ]
        }
    }

    /// The hold-offs that apply to the present settings, and the seconds that are left of each.
    private func heldOff(_ record: Record) -> [(peer: String, wait: Double)] {
        guard let camera = plan.camera else { return [] }
        let memory = (CameraMemory(reading: plan.statePath) ?? CameraMemory()).belonging(to: camera.identity)
        let credentials = [
            ("camera", camera.fingerprint),
            ("store", plan.store?.fingerprint ?? ""),
        ]
        return credentials.compactMap { peer, text in
            record.holdOffs[peer]?.remaining(
                settingsHMAC: memory.hmac(of: text), now: now, recordBoot: record.boot
            ).map { (peer, $0) }
        }
    }
}
