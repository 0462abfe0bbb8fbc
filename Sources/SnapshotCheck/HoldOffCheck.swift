import SnapshotBase
import SnapshotCamera
import SnapshotState

/// Credentials that were refused, and that captures therefore leave alone for a while.
struct HoldOffCheck {
    let plan: CheckPlan
    let now: Now

    /// What will be tried in spite of it.
    func findings() -> [Finding] {
        guard case .record(let record) = StateRing(reading: plan.statePath).content else { return [] }
        return heldOff(record).map { who, wait in
            let isProcess = record.holdOffs[who]?.code == .store(.credentialProcess)
            return .remark(
                "hold-off",
                "\(isProcess ? "credential_process failed" : "the \(who) refused the credentials"): captures try them again in \(inWords(Int(wait.rounded(.up)))), "
                    + "this check tries them once now",
                hint: "correct them: changed settings are tried at once")
        }
    }

    /// Ends the waiting for those who have just taken the same credentials, as after a password was corrected at the
    /// camera's end. It is a record like that of a run that did nothing: no counter moves.
    func release(_ accepted: Set<String>) -> [Finding] {
        guard case .record(let seen) = StateRing(reading: plan.statePath).content,
            heldOff(seen).contains(where: { accepted.contains($0.who) })
        else { return [] }
        do throws(Failure) {
            guard var state = try StateDirectory.open(plan.statePath), var record = state.last else {
                return [.remark("hold-off", "a capture is under way", hint: "snapshot check   # once more")]
            }
            let names = heldOff(record).map(\.who).filter(accepted.contains)
            for name in names {
                record.holdOffs[name] = nil
                record.logins?[name]?.refusals = nil
            }
            if names.contains("camera") { record.due = nil }
            (record.outcome, record.written) = (Outcome(result: .none), now.moment)
            try state.write(record)
            return names.map { .passed("hold-off", "the \($0) takes the credentials again: captures try them at once") }
        } catch {
            return [.remark("hold-off", "captures wait all the same: \(error)", hint: error.hint)]
        }
    }

    /// Who refused the present settings, and the seconds for which captures still wait.
    private func heldOff(_ record: Record) -> [(who: String, wait: Double)] {
        guard let camera = plan.camera else { return [] }
        let memory = (CameraMemory(reading: plan.statePath) ?? CameraMemory()).belonging(to: camera.place)
        let credentials = [
            ("camera", camera.fingerprint),
            ("store", plan.store?.fingerprint ?? ""),
        ]
        return credentials.compactMap { who, text in
            record.holdOffs[who]?.remaining(settings: memory.digest(text), now: now, recordBoot: record.boot).map {
                (who, $0)
            }
        }
    }
}
