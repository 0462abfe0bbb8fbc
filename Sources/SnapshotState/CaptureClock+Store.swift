import SnapshotBase

/// Limits how far the time that a store reports may shift ours. A signature with a future date could be reused on that
/// day by whoever forged the store's response.
extension CaptureClock {
    private static let day: Int64 = 86_400_000

    /// Whether an offset is credible.
    /// - Parameters:
    ///   - offset: the store's clock minus ours, in milliseconds.
    ///   - isVerified: whether TLS has verified the store; over plain http anyone can forge its response.
    package static func isCredible(_ offset: Int64, at wall: Timestamp, timeService: TimeService, isVerified: Bool)
        -> Bool
    {
        if offset.magnitude <= day.magnitude { return true }
        // A synchronised clock is not off by days, so the store's must be.
        if timeService == .synced { return false }
        // An offset that leads to a time before this program's release is damaged or forged.
        guard wall.advanced(byMilliseconds: offset).milliseconds >= floor else { return false }
        // A signature with a past date is useless, and a clock that was never set can be off by any amount. A clock
        // that was saved before a power cut can be months behind.
        return isVerified || offset < 0 || wall.milliseconds < floor || offset <= 366 * day
    }

    /// The offset that a store's response has shown, which came at `wall`; nil if it is not credible.
    package static func credibleOffset(_ offset: Int64?, at wall: Timestamp?, isVerified: Bool) -> Int64? {
        guard let offset, let wall, offset.magnitude > day.magnitude else { return offset }
        return isCredible(offset, at: wall, timeService: timeService(), isVerified: isVerified) ? offset : nil
    }
}
