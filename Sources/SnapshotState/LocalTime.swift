import Glibc
import SnapshotBase

/// Local time: the zone that `TZ` names, else that of `/etc/localtime`.
extension Timestamp {
    /// The fields from year to millisecond in local time, and the offset from UTC, e.g. `+0100`.
    package var local: (fields: Fields, offset: String) {
        let parts = localParts
        let minutes = parts.tm_gmtoff / 60
        let distance = Int(minutes.magnitude)
        let offset = (minutes < 0 ? "-" : "+") + (distance / 60).padded(2) + (distance % 60).padded(2)
        return (fields(of: parts), offset)
    }

    /// The abbreviation of the zone at that moment, e.g. `CET`.
    package var zone: String {
        let parts = localParts
        guard let name = parts.tm_zone.map({ String(cString: $0) }), !name.isEmpty else { return "UTC\(local.offset)" }
        // The abbreviation of a zone without a name is its numeric offset.
        return name.utf8.first.map("+-".utf8.contains) == true ? "UTC" + name : name.printable(limit: 16)
    }

    /// Local date, time and zone, e.g. `2026-01-21 11:30:45 CET`.
    package var localText: String {
        let f = local.fields
        return "\(f.year)-\(f.month)-\(f.day) \(f.hour):\(f.minute):\(f.second) \(zone)"
    }

    private var localParts: tm {
        var parts = tm()
        var time = time_t(secondsSince1970)
        localtime_r(&time, &parts)
        return parts
    }

    /// The local time, e.g. `22:31`, preceded by the date if that is not the day of `now`.
    package func clock(asOf now: Timestamp) -> String {
        let (fields, today) = (local.fields, now.local.fields)
        let time = "\(fields.hour):\(fields.minute)"
        let isToday = (fields.year, fields.month, fields.day) == (today.year, today.month, today.day)
        return isToday ? time : "\(fields.year)-\(fields.month)-\(fields.day) \(time)"
    }

    /// Whether the offset from UTC changes within the following year, so that local clocks repeat an hour.
    package var isBeforeRepeatedHour: Bool {
        let offsets = (Int64(0)...12).map { advanced(byMilliseconds: $0 * 30 * 86_400_000).localParts.tm_gmtoff }
        return Set(offsets).count > 1
    }
}

/// The value of `TZ` if the system does not know that zone and would use UTC instead; otherwise nil.
package func unknownTimeZone(_ environment: Environment) -> String? {
    guard let value = environment["TZ"], !value.isEmpty else { return nil }
    let name = value.hasPrefix(":") ? String(value.dropFirst()) : value
    let folder = environment["TZDIR"] ?? "/usr/share/zoneinfo"
    if fileExists(name.hasPrefix("/") ? name : "\(folder)/\(name)") || ["UTC", "GMT"].contains(name) { return nil }
    // A POSIX rule such as CET-1CEST or <+0545>-5:45 has a number after its name.
    let tail = name.hasPrefix("<") ? name.drop { $0 != ">" }.dropFirst() : name.drop(while: \.isLetter)
    let isRule = tail.drop { "+-".contains($0) }.first.map { ("0"..."9").contains($0) } ?? false
    return isRule ? nil : value.printable(limit: 64)
}
