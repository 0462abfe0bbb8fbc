import Glibc
import SnapshotBase

/// Finds cameras on the local network, by three protocols, and cameras at this machine.
package struct Discovery: Sendable {
    package struct Result: Sendable {
        package var devices: [Device] = []
        /// Whether more devices answered than are listed.
        package var isCut = false
        package var interfaces: [Interface] = []
        /// Why discovery requests couldn't be sent or answers couldn't be received, one sentence each.
        package var obstacles: [String] = []
    }

    package static let timeout = Duration.seconds(2)

    private let targets: [IPv4Address]
    private let stop: StopRequest
    /// The root of the file system that is examined; tests use their own.
    private let root: String

    /// - Parameters:
    ///   - targets: addresses that are asked as well, since broadcasts don't leave the local network.
    ///   - root: of the file system in which `/proc`, `/sys` and `/dev` are examined.
    package init(targets: [IPv4Address] = [], stop: StopRequest, root: String = "") {
        (self.targets, self.stop, self.root) = (targets, stop, root)
    }

    /// Looks for cameras until `timeout` has passed or the program is asked to end. Reolink cameras come first, cameras
    /// at this machine last.
    package func run() -> Result {
        var result = Result()
        result.interfaces = Interface.all()
        if !result.interfaces.isEmpty { ask(&result) }
        let neighbours = Neighbours(root: root)
        for index in result.devices.indices where result.devices[index].mac == nil {
            result.devices[index].mac = result.devices[index].address.flatMap { neighbours.mac(of: $0) }
        }
        result.devices.sort {
            ($0.isReolink ? 0 : 1, $0.address?.number ?? 0) < ($1.isReolink ? 0 : 1, $1.address?.number ?? 0)
        }
        let local = localCameras(root: root)
        result.devices += local.prefix([Device].mostDevices)
        result.isCut = result.isCut || local.count > [Device].mostDevices
        return result
    }

    private func ask(_ result: inout Result) {
        var sockets: [UDPSocket] = []
        do throws(SystemError) {
            sockets.append(try UDPSocket(IPv4Address(0), port: ReolinkOld.answerPort))
        } catch {
            result.obstacles.append(
                "UDP port \(ReolinkOld.answerPort), to which Reolink cameras answer, can't be opened here: \(error)")
        }
        var probes: [(interface: Interface, socket: UDPSocket)] = []
        for interface in result.interfaces {
            do throws(SystemError) { probes.append((interface, try UDPSocket(interface.address, port: 0))) } catch {
                result.obstacles.append("\(interface.text) can't be used: \(error)")
            }
        }
        sockets += probes.map(\.socket)
        let requests = Requests()
        let end = Deadline.after(Self.timeout)
        var receiver = AnswerReceiver()
        // Ask twice, since broadcasts get lost, above all on Wi-Fi.
        for pause in [Duration.milliseconds(700), Self.timeout] {
            for (interface, socket) in probes {
                guard let why = requests.send(by: socket, interface, targets) else { continue }
                let words = "no discovery request can be sent on \(interface.text): \(why)"
                if !result.obstacles.contains(words) { result.obstacles.append(words) }
            }
            receiver.listen(to: sockets, until: end.sooner(pause), stop) { device in
                if !result.devices.merge(device) { result.isCut = true }
            }
        }
        result.isCut = result.isCut || receiver.isCut
    }
}

/// The discovery requests of one run.
private struct Requests {
    private let transaction = UInt32.random(in: 1...0x7FFF_FFFF)
    private let probe: [UInt8]

    init() {
        var generator = SystemRandomNumberGenerator()
        probe = ONVIF.probe(id: hexadecimal((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }))
    }

    /// Sends all requests through one interface.
    /// - Returns: why none could be sent; nil if one was.
    func send(by socket: UDPSocket, _ interface: Interface, _ targets: [IPv4Address]) -> String? {
        var failed: SystemError?
        var isSent = false
        func send(_ bytes: [UInt8], to address: IPv4Address, _ port: UInt16) {
            do throws(SystemError) {
                try socket.send(bytes, to: address, port)
                isSent = true
            } catch { failed = error }
        }
        let new = ReolinkPacket(askingFor: socket.port, transaction: transaction).bytes
        for address in [interface.broadcast, .broadcast] + targets {
            send(ReolinkOld.request, to: address, ReolinkOld.askPort)
            for port in ReolinkNew.askPorts { send(new, to: address, port) }
        }
        for address in [.onvifGroup] + targets { send(probe, to: address, ONVIF.port) }
        guard !isSent, let failed else { return nil }
        return failed.number == EPERM ? "this machine's firewall forbids it" : "\(failed)"
    }
}

/// Receives answers. Any host may send any number, so the number per host and the number of hosts are bounded.
private struct AnswerReceiver {
    private var answers: [IPv4Address: Int] = [:]
    /// Whether answers were ignored because too many hosts answered.
    private(set) var isCut = false
    private static let mostPerHost = 16
    private static let mostPerTurn = 64
    private static let mostHosts = 1024

    mutating func listen(
        to sockets: [UDPSocket], until deadline: Deadline, _ stop: StopRequest, _ found: (Device) -> Void
    ) {
        while !deadline.hasPassed, !stop.isMade {
            var waiting = sockets.map { pollfd(fd: $0.handle.descriptor, events: Int16(POLLIN), revents: 0) }
            poll(&waiting, nfds_t(waiting.count), Int32(clamping: min(200, deadline.millisecondsLeft)))
            for (socket, state) in zip(sockets, waiting) where state.revents != 0 {
                // Read a bounded number, so that a flood at one socket doesn't block the others.
                for _ in 0..<Self.mostPerTurn {
                    guard let (bytes, sender, _) = socket.receive() else { break }
                    if let device = read(bytes, from: sender, at: socket) { found(device) }
                }
            }
        }
    }

    private mutating func read(_ bytes: [UInt8], from sender: IPv4Address, at socket: UDPSocket) -> Device? {
        guard sender.number != 0 else { return nil }
        guard answers.count < Self.mostHosts || answers[sender] != nil else {
            isCut = true
            return nil
        }
        answers[sender, default: 0] += 1
        guard answers[sender, default: 0] <= Self.mostPerHost else { return nil }
        if socket.port == ReolinkOld.answerPort { return ReolinkOld.device(bytes, from: sender) }
        return ReolinkNew.device(bytes, from: sender) ?? ONVIF.device(bytes, from: sender)
    }
}
