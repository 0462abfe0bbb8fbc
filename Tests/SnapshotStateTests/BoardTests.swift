import SnapshotBase
import TestKit
import Testing

@testable import SnapshotState

@Suite struct BoardTests {
    /// A folder with such files below `sys`, as a kernel would lay them out.
    private func board(_ files: [String: String]) throws -> Board {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            try makeDirectory(parentDirectory("\(folder.path)/sys/\(path)"), mode: 0o700)
            try folder.write("sys/\(path)", text)
        }
        // Board reads at once, so the folder may go afterwards.
        return Board(root: folder.path)
    }

    private func zone(_ number: Int, _ type: String, _ temperature: String) -> [String: String] {
        let folder = "class/thermal/thermal_zone\(number)"
        return ["\(folder)/type": type + "\n", "\(folder)/temp": temperature]
    }

    private static let firmware = "devices/platform/soc/soc:firmware/get_throttled"

    @Test func aServerTellsNothing() throws {
        let silent = try board([:])
        #expect((silent.celsius, silent.zone, silent.supply, silent.isSlowed) == (nil, nil, nil, false))
    }

    @Test func theHottestZoneCounts() throws {
        let zones = zone(0, "gpu", "41000\n").merging(zone(1, "cpu-thermal", "63412\n")) { $1 }
            .merging(zone(2, "off", "-274000\n")) { $1 }.merging(zone(3, "broken", "N/A\n")) { $1 }
            .merging(["class/thermal/cooling_device0/cur_state": "9\n", "class/thermal/thermal_zone4/type": "mute\n"]) {
                $1
            }
        let found = try board(zones)
        #expect(found.celsius == 63.412 && found.zone == "cpu-thermal" && !found.isHot)
        #expect(try board(zone(0, "cpu-thermal", "80000")).isHot)
        #expect(try board(zone(7, "outdoors", "-12500\n")).celsius == -12.5)
    }

    @Test(arguments: [
        ("0\n", Board.Supply.steady, false), ("1\n", .low, false), ("50005\n", .low, true), ("50000\n", .wasLow, false),
        ("80008\n", .steady, true), ("20002\n", .steady, true), ("e0000\n", .steady, false),
    ])
    func theFirmwaresBits(text: String, supply: Board.Supply, isSlowed: Bool) throws {
        let found = try board([Self.firmware: text])
        #expect(found.supply == supply && found.isSlowed == isSlowed)
    }

    @Test func aRaspberryPi5sFirmwareHasAnAddress() throws {
        let path = "devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
        #expect(try board([path: "10000\n"]).supply == .wasLow)
    }

    @Test func noBitsAreNoAnswer() throws {
        for text in ["", "\n", "soon\n", "123456789a\n"] { #expect(try board([Self.firmware: text]).supply == nil) }
    }

    @Test(arguments: [
        ("rpi_volt", "0\n", Board.Supply?.some(.steady)), ("rpi_volt", "1\n", .low), ("nct6775", "1\n", nil),
    ])
    func theVoltageAlarm(name: String, alarm: String, supply: Board.Supply?) throws {
        let files = ["class/hwmon/hwmon2/name": name + "\n", "class/hwmon/hwmon2/in0_lcrit_alarm": alarm]
        #expect(try board(files).supply == supply)
        // A voltage that is low now counts, whichever of the two sources reports it.
        #expect(try board(files.merging([Self.firmware: "50000\n"]) { $1 }).supply == (supply == .low ? .low : .wasLow))
    }
}
