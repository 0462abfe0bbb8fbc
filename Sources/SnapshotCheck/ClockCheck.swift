import SnapshotBase
import SnapshotState

/// Checks the clock. Pictures are stored even while the clock is wrong, so the finding is never a failure.
struct ClockCheck {
    let timeService: CaptureClock.TimeService
    /// Clocks of the store and the camera minus ours, in milliseconds.
    let offsets: [(whose: String, milliseconds: Int64)]

    /// In milliseconds. A smaller difference counts as none: `Date` has whole seconds, and a response takes time.
    private static let tolerance: Int64 = 5000

    func finding() -> Finding {
        let differences = offsets.map { "\($0.whose)'s \(difference($0.milliseconds))" }.joined(separator: ", ")
        let seconds = offsets.map { Int(($0.milliseconds.magnitude + 500) / 1000) * ($0.milliseconds < 0 ? -1 : 1) }
        let compared = differences.isEmpty ? "nothing to compare it with" : differences
        let isOff = offsets.first { $0.whose == "store" }.map { abs($0.milliseconds) >= Self.tolerance } ?? false
        guard !isOff else {
            return .remark("clock", "wrong: \(compared)", hint: "sudo timedatectl set-ntp true")
        }
        switch timeService {
        case .synced:
            return .passed(
                "clock", "synchronised by a time service; \(compared)",
                facts: seconds.first.map { ["offset_seconds": .integer($0)] } ?? [:])
        case .none:
            return .passed(
                "clock", "no time service is known to set it; \(compared)",
                hint: "sudo apt install systemd-timesyncd   # or chrony, unless something else sets it",
                facts: seconds.first.map { ["offset_seconds": .integer($0)] } ?? [:])
        case .notYet:
            return .remark("clock", "not synchronised yet; \(compared)", hint: "timedatectl timesync-status")
        }
    }

    private func difference(_ milliseconds: Int64) -> String {
        guard abs(milliseconds) >= Self.tolerance else { return "agrees" }
        return "is \(inWords(Int((milliseconds.magnitude + 500) / 1000))) \(milliseconds > 0 ? "ahead" : "behind")"
    }
}
