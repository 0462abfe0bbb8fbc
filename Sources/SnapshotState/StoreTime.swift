import SnapshotBase

/// How far a store's word moves the time from what our clock says. A signature that is dated ahead can be used again when
/// its day comes, by whoever made the store say so.
extension CaptureClock {
    private static let day: Int64 = 86_400_000

    /// - Parameters:
    ///   - offset: the store's clock minus ours, in milliseconds.
    ///   - isVerified: whether a certificate authority vouches for the store; over plain http anybody may speak for it.
    package static func believes(_ offset: Int64, at wall: Timestamp, timeService: TimeService, isVerified: Bool)
        -> Bool
    {
        if offset.magnitude <= day.magnitude { return true }
        // A clock that is kept right isn't off by days: the store's is.
        if timeService == .synced { return false }
        // A figure of the state that leads to a time before this program is damaged.
        guard wall.advanced(byMilliseconds: offset).milliseconds >= floor else { return false }
        // A date in the past is of no use to anybody, and a clock that was never set can be off by anything. One that was
        // kept over a power cut is some months behind.
        return isVerified || offset < 0 || wall.milliseconds < floor || offset <= 366 * day
    }

    /// What a store's answer tells of its clock, `offset`; nil where that can't be true.
    package static func believable(_ offset: Int64?, isVerified: Bool) -> Int64? {
        guard let offset, offset.magnitude > day.magnitude else { return offset }
        return believes(offset, at: .now(), timeService: timeService(), isVerified: isVerified) ? offset : nil
    }
}
