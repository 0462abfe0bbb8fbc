import SnapshotBase

extension Timestamp {
    /// `Wed, 21 Jan 2026 10:30:45 GMT`
    var httpDate: String {
        let f = fields
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let whole = milliseconds / 86_400_000 - (milliseconds % 86_400_000 < 0 ? 1 : 0)
        let day = Int((whole % 7 + 7) % 7)
        let month = (Int(f.month) ?? 1) - 1
        return "\(days[day]), \(f.day) \(months[month]) \(f.year) \(f.hour):\(f.minute):\(f.second) GMT"
    }
}
