import CLinux
import Glibc
import SnapshotBase

/// When a picture was taken, on a computer whose clock may never have been set.
package struct CaptureClock: Sendable {
    /// Whether something that keeps the clock says that it is right, is still at work, or doesn't exist.
    package enum TimeService: Sendable { case synced, notYet, none }

    package static func timeService() -> TimeService {
        let kernel = shim_clock_is_synced()
        if kernel > 0 || fileExists("/run/systemd/timesync/synchronized") { return .synced }
        // A timeService is running and has not said so: the clock is what the boot left. Only the first says it in a file;
        // where the kernel may not be asked, what the others think can't be known.
        let keepers = ["/run/systemd/timesync", "/run/chrony", "/run/ntpd.pid", "/run/ntpsec"]
        return keepers.prefix(kernel < 0 ? 1 : keepers.count).contains(where: fileExists) ? .notYet : .none
    }

    /// No clock that is right is earlier than this program.
    static let floor = Timestamp(iso8601: "2026-01-01T00:00:00Z")?.milliseconds ?? 0
    /// Clocks that differ by less agree: `Date` has whole seconds, and answers take time.
    private static let tolerance: Int64 = 5000

    /// The time for a picture taken at `now`, and how good it is. Later than any given out before while the clock isn't
    /// trusted, so that no key comes twice.
    package static func time(at now: Now, _ figures: ClockFigures, timeService: TimeService) -> (
        Timestamp, ClockQuality
    ) {
        if timeService == .synced { return (now.wall, .synced) }
        let offset = offset(at: now, figures, timeService: timeService)
        if abs(offset) >= tolerance {
            let time = now.wall.advanced(byMilliseconds: offset)
            // The offset is good to a second or so: within that, a later picture still gets a later key.
            let isJustBehind = (0..<tolerance).contains(figures.latestMilliseconds - time.milliseconds)
            return (
                isJustBehind ? Timestamp(milliseconds: figures.latestMilliseconds + 1) : time, .corrected
            )
        }
        let isBehind = now.wall.milliseconds + tolerance < figures.latestMilliseconds
        // Behind an earlier picture, and the store agrees: it was the earlier clock that was wrong.
        let isConfirmed = figures.base != nil && !now.boot.isEmpty
        if isConfirmed, isBehind { return (now.wall, .synced) }
        let isTrusted = isConfirmed || timeService == .none && !isBehind && now.wall.milliseconds >= floor
        let time = max(now.wall, Timestamp(milliseconds: figures.latestMilliseconds + 1))
        return (time, isTrusted ? .synced : .unsynced)
    }

    /// The store's clock minus ours, in milliseconds, as far as known in this boot. If our clock has been set since,
    /// what it was set by is taken off; 0 where what is left can't be true.
    package static func offset(at now: Now, _ figures: ClockFigures, timeService: TimeService) -> Int64 {
        var known = Double(figures.offsetSeconds) * 1000
        if let base = figures.base, !now.boot.isEmpty { known -= (now.wall.seconds - now.up - base) * 1000 }
        let offset = Int64(Int(bounded: known))
        // Whoever said it may have been believed for a clock that was never set, or by an older version.
        return believes(offset, at: now.wall, timeService: timeService, isVerified: false) ? offset : 0
    }

    /// Notes what a store's answer told of its clock.
    package static func learn(_ offset: Int64?, at now: Now, _ figures: inout ClockFigures) {
        guard let offset else { return }
        let isOff = abs(offset) >= tolerance
        figures.offsetSeconds = isOff ? Int(bounded: Double(offset) / 1000) : 0
        figures.base = now.boot.isEmpty ? nil : now.wall.seconds - now.up
    }
}

/// How far a capture time can be believed.
package enum ClockQuality: Hashable, Sendable {
    case synced, unsynced
    /// Taken from the store's clock afterwards.
    case corrected
    /// Of a later version; it is kept as it is.
    case unknown(String)
}

extension ClockQuality: RawRepresentable, JSONValue {
    package init(rawValue text: String) {
        switch text {
        case "synced": self = .synced
        case "unsynced": self = .unsynced
        case "corrected": self = .corrected
        default: self = .unknown(text)
        }
    }

    package var rawValue: String {
        switch self {
        case .synced: "synced"
        case .unsynced: "unsynced"
        case .corrected: "corrected"
        case .unknown(let text): text
        }
    }
}

extension Timestamp {
    /// Seconds since 1970.
    fileprivate var seconds: Double { Double(milliseconds) / 1000 }
}
