import CLinux
import Glibc
import SnapshotBase

/// Determines capture times on a machine whose clock may never have been set.
package struct CaptureClock: Sendable {
    /// Whether a time service (timesyncd, chrony, ntpd) has synchronised the clock, has not yet, or does not run.
    package enum TimeService: Sendable { case synced, notYet, none }

    /// The state of this machine's time service, from the kernel and the files of known services.
    package static func timeService() -> TimeService {
        let kernel = shim_clock_is_synced()
        if kernel > 0 || fileExists("/run/systemd/timesync/synchronized") { return .synced }
        // A time service is running but has not synchronised the clock yet. Only timesyncd reports through a file; if
        // the kernel may not be asked (adjtimex), the state of the others is unknown.
        let services = ["/run/systemd/timesync", "/run/chrony", "/run/ntpd.pid", "/run/ntpsec"]
        return services.prefix(kernel < 0 ? 1 : services.count).contains(where: fileExists) ? .notYet : .none
    }

    /// A correct clock cannot be earlier than the release of this program; milliseconds since 1970.
    static let floor = Timestamp(iso8601: "2026-01-01T00:00:00Z")?.milliseconds ?? 0
    /// Clocks that differ by less than this, in milliseconds, agree: `Date` has whole seconds, and responses take time.
    private static let tolerance: Int64 = 5000

    /// The capture time for a picture taken at `now`, and its quality. So that no key is used twice, a time that isn't
    /// after the last picture's is moved to the millisecond after that one, if it is at most 5 s earlier or can't be
    /// trusted. A time that a time service has synchronised is never moved.
    package static func time(at now: Now, _ figures: ClockFigures, timeService: TimeService) -> (
        Timestamp, ClockQuality
    ) {
        if timeService == .synced { return (now.wall, .trusted) }
        let offset = offset(at: now, figures, timeService: timeService)
        if abs(offset) >= tolerance {
            let time = now.wall.advanced(byMilliseconds: offset)
            // The offset is accurate to about a second only, so the corrected time may lie just before the last
            // picture's. Take the next millisecond after that one: a later picture must get a later key.
            let isJustBehind = (0..<tolerance).contains(figures.latestMilliseconds - time.milliseconds)
            return (
                isJustBehind ? Timestamp(milliseconds: figures.latestMilliseconds + 1) : time, .corrected
            )
        }
        // Whether the clock shows a time before the last picture's, by more than the tolerance.
        let isBehind = now.wall.milliseconds + tolerance < figures.latestMilliseconds
        // Whether the store's clock was compared in this boot; it agrees, since the offset is small.
        let isConfirmed = figures.wallAtBoot != nil && !now.boot.isEmpty
        // A confirmed clock is right even if it is behind: it was ahead when the last picture was taken.
        if isConfirmed, isBehind { return (now.wall, .trusted) }
        // Without a time service a clock is trusted, unless it is behind or shows a time before this program's release.
        let isTrusted = isConfirmed || timeService == .none && !isBehind && now.wall.milliseconds >= floor
        let time = max(now.wall, Timestamp(milliseconds: figures.latestMilliseconds + 1))
        return (time, isTrusted ? .trusted : .untrusted)
    }

    /// The store's clock minus ours, in milliseconds, as learned in this boot. If our clock has been set since, that
    /// change is subtracted; 0 if the result is not credible.
    package static func offset(at now: Now, _ figures: ClockFigures, timeService: TimeService) -> Int64 {
        var known = Double(figures.offsetSeconds) * 1000
        if let before = figures.wallAtBoot, !now.boot.isEmpty { known -= (now.wall.seconds - now.up - before) * 1000 }
        let offset = Int64(Int(bounded: known))
        // The recorded offset may come from an older version, or was accepted for a clock that was never set.
        return isCredible(offset, at: now.wall, timeService: timeService, isVerified: false) ? offset : 0
    }

    /// Records the store's offset that a response has shown, in milliseconds.
    package static func learn(_ offset: Int64?, at now: Now, _ figures: inout ClockFigures) {
        guard let offset else { return }
        let isOff = abs(offset) >= tolerance
        figures.offsetSeconds = isOff ? Int(bounded: Double(offset) / 1000) : 0
        figures.wallAtBoot = now.boot.isEmpty ? nil : now.wall.seconds - now.up
    }
}

/// How reliable a capture time is.
package enum ClockQuality: Hashable, Sendable {
    /// Trusted: a time service or the store confirms the time, or there is no sign that it is wrong. The names in JSON
    /// are `synced` and `unsynced`.
    case trusted, untrusted
    /// Corrected by the offset of the store's clock.
    case corrected
    /// Written by a later version; preserved unchanged.
    case unknown(String)
}

extension ClockQuality: RawRepresentable, JSONValue {
    package init(rawValue text: String) {
        switch text {
        case "synced": self = .trusted
        case "unsynced": self = .untrusted
        case "corrected": self = .corrected
        default: self = .unknown(text)
        }
    }

    package var rawValue: String {
        switch self {
        case .trusted: "synced"
        case .untrusted: "unsynced"
        case .corrected: "corrected"
        case .unknown(let text): text
        }
    }
}

extension Timestamp {
    /// Seconds since 1970.
    fileprivate var seconds: Double { Double(milliseconds) / 1000 }
}
