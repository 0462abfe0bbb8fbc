import ArgumentParser
import SnapshotBase
import SnapshotDiscover

struct DiscoverCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover", abstract: "Show the cameras that answer on the local network.",
        discussion: """
            Sends Reolink's two discovery requests and ONVIF's on every interface, waits 2 s for answers, and looks \
            for /dev/video*. No login is tried and nothing is written. What a camera says about itself isn't verified. \
            Discovery requests don't reach another network or VLAN, but an ADDRESS there can be asked.

            Exit code: 0 a camera was found; 69 none was.
            """)

    @Argument(help: "IPv4 addresses to ask as well.", transform: address)
    var addresses: [IPv4Address] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    func run(in context: ProcessContext) throws {
        let result = Discovery(targets: addresses, stop: context.stop).run()
        let log = Log("snapshot", in: context)
        if json {
            let object: JSONObject = [
                "devices": result.devices.map(\.json), "more": result.isCut,
                "interfaces": result.interfaces.map(\.text),
                "obstacles": result.obstacles,
            ]
            writeText(to: 1, "\(object.json)\n")
        } else {
            for line in lines(result.devices) { writeText(to: 1, "\(line)\n") }
            if result.isCut {
                writeText(to: 1, "and more: only the first \(result.devices.count) are shown\n")
            }
            if result.failure == nil { result.obstacles.forEach(log.warn) }
        }
        guard let failure = result.failure else { return }
        if !json {
            // The failure says that the network has no camera: only a warning if one was found at this machine.
            if result.devices.isEmpty { log.report(failure) } else { log.warn("on the network: \(failure)") }
        }
        if result.devices.isEmpty { throw ExitCode(failure.exitCode) }
    }

    private func lines(_ devices: [Device]) -> [String] {
        let rows = devices.map { [$0.cameraAddress, $0.mac ?? "", $0.text] }
        let widths = (0..<2).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let columns = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            return (columns + [row[2]]).joined(separator: "  ")
        }
    }

    @Sendable private static func address(_ text: String) throws -> IPv4Address {
        guard let address = IPv4Address(text) else {
            throw ValidationError("not an IPv4 address: \(text.printable(limit: 40))")
        }
        return address
    }
}
