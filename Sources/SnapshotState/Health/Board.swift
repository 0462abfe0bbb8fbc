import SnapshotBase

/// The board's temperature and supply voltage, as far as the kernel reports them under `/sys`.
package struct Board: Sendable {
    /// The supply voltage: sufficient, too low now, or too low earlier in this boot.
    package enum Supply: Sendable { case steady, low, wasLow }

    /// The temperature of the hottest thermal zone, in degrees Celsius.
    package private(set) var celsius: Double?
    /// The name of that zone, e.g. `cpu-thermal`.
    package private(set) var zone: String?
    /// The state of the supply voltage; nil where the kernel does not report it, i.e. on all boards but a Raspberry Pi.
    package private(set) var supply: Supply?
    /// Whether the firmware throttles the processor now, because of heat or low voltage.
    package private(set) var isSlowed = false

    /// The temperature in degrees Celsius from which most small boards throttle.
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
            // A disabled zone gives an error or absolute zero.
            guard let thousandths = text("\(folder)/\(name)/temp").flatMap({ Int($0) }),
                (-60_000...200_000).contains(thousandths)
            else { continue }
            let found = Double(thousandths) / 1000
            guard celsius.map({ $0 < found }) ?? true else { continue }
            (celsius, zone) = (found, text("\(folder)/\(name)/type"))
        }
    }

    /// Reads the Raspberry Pi's voltage driver, which is part of the mainline kernel.
    private mutating func readHardwareMonitors(_ folder: String) {
        for name in entries(folder) where text("\(folder)/\(name)/name") == "rpi_volt" {
            guard let alarm = text("\(folder)/\(name)/in0_lcrit_alarm") else { continue }
            supply = alarm == "0" ? .steady : .low
        }
    }

    /// Reads the firmware's bits from the Raspberry Pi's own kernel: a hexadecimal number with the current conditions
    /// in the low 16 bits, and those since boot in the high 16.
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

/// The first line of a short file, at most 64 bytes.
private func text(_ path: String) -> String? {
    guard let bytes = try? readFile(path, limit: 64) else { return nil }
    return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
}
