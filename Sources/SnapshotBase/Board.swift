/// How warm the computer is and whether its supply is strong enough, as far as its kernel tells.
package struct Board: Sendable {
    package enum Supply: Sendable { case steady, low, wasLow }

    /// The hottest thermal zone's temperature.
    package private(set) var celsius: Double?
    /// That zone's name, as `cpu-thermal`.
    package private(set) var zone: String?
    /// The supply's voltage; nil where nothing tells, which is everywhere but on a Raspberry Pi.
    package private(set) var supply: Supply?
    /// Whether the firmware slows the processor down now, for heat or low voltage.
    package private(set) var isSlowed = false

    /// Most small boards slow down from here on.
    package static let hot = 80.0

    /// - Parameter root: the folder that holds `sys`; empty for the real one.
    package init(root: String) {
        readZones(root + "/sys/class/thermal")
        readHardwareMonitors(root + "/sys/class/hwmon")
        readFirmware(root + "/sys/devices/platform")
    }

    package var isHot: Bool { celsius.map { $0 >= Self.hot } ?? false }

    private mutating func readZones(_ folder: String) {
        for name in entries(folder) where name.hasPrefix("thermal_zone") {
            // A zone that is switched off reads as an error or as absolute zero.
            guard let thousandths = text("\(folder)/\(name)/temp").flatMap({ Int($0) }),
                (-60_000...200_000).contains(thousandths)
            else { continue }
            let found = Double(thousandths) / 1000
            guard celsius.map({ $0 < found }) ?? true else { continue }
            (celsius, zone) = (found, text("\(folder)/\(name)/type"))
        }
    }

    /// The Raspberry Pi's driver, which every kernel has.
    private mutating func readHardwareMonitors(_ folder: String) {
        for name in entries(folder) where text("\(folder)/\(name)/name") == "rpi_volt" {
            guard let alarm = text("\(folder)/\(name)/in0_lcrit_alarm") else { continue }
            supply = alarm == "0" ? .steady : .low
        }
    }

    /// The Raspberry Pi's own kernel hands on the firmware's bits: in hexadecimal, those of now and, 16 higher, those of before.
    private mutating func readFirmware(_ folder: String) {
        for bus in entries(folder) where bus.hasPrefix("soc") {
            for device in entries("\(folder)/\(bus)") where device.hasSuffix(":firmware") {
                let path = "\(folder)/\(bus)/\(device)/get_throttled"
                guard let bits = text(path).flatMap({ UInt32($0, radix: 16) }) else { continue }
                isSlowed = bits & 0b1110 != 0
                if bits & 1 != 0 {
                    supply = .low
                } else if supply != .low {
                    supply = bits & 0x10000 != 0 ? .wasLow : .steady
                }
            }
        }
    }
}

private func entries(_ folder: String) -> [String] { ((try? listDirectory(folder)) ?? []).sorted() }

/// A short file's text, without the end of its line.
private func text(_ path: String) -> String? {
    guard let bytes = try? readFile(path, limit: 64) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
}
