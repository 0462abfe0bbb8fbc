import Glibc
import SnapshotBase

/// One track of a camera's that comes as datagrams, RTP at one port and RTCP at the next: in, as ffmpeg would get it over
/// the connection, and out, what ffmpeg says of it. Only the camera's host is heard.
struct DatagramTrack {
    /// ffmpeg's, for RTP and RTCP.
    let channels: (UInt8, UInt8)
    let ports: (UInt16, UInt16)
    private let sockets: (FileHandle, FileHandle)
    private let camera: SocketAddress
    /// The camera's ports; nil where it hasn't said.
    private var cameraPorts: (UInt16, UInt16)?
    private var order = RTPOrder()

    private static let tries = 64
    /// A key frame comes at once.
    private static let receiveBuffer: Int32 = 4 << 20
    /// What is taken at one go, so that the connection isn't forgotten over it.
    private static let mostAtOnce = 1 << 18

    /// Finds two ports, the first of them even, at the address from which the connection to the camera goes.
    /// - Parameter connection: over which the camera is asked.
    init?(beside connection: Int32, channels: (UInt8, UInt8)) {
        guard var local = SocketAddress(localEndOf: connection), let far = SocketAddress(farEndOf: connection) else {
            return nil
        }
        for _ in 0..<Self.tries {
            local.port = 0
            guard let first = local.bound(), let given = SocketAddress(localEndOf: first.descriptor) else { return nil }
            guard given.port % 2 == 0, given.port < .max else { continue }
            local.port = given.port + 1
            guard let second = local.bound() else { continue }
            var size = Self.receiveBuffer
            setsockopt(first.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            (self.channels, camera, ports, sockets) = (channels, far, (given.port, local.port), (first, second))
            return
        }
        return nil
    }

    /// The descriptors to wait for.
    var descriptors: [Int32] { [sockets.0.descriptor, sockets.1.descriptor] }

    /// What the camera is asked for.
    var transport: String { "RTP/AVP;unicast;client_port=\(ports.0)-\(ports.1)" }

    /// The camera has agreed: an empty packet to each of its ports opens the way through a firewall.
    /// - Parameter transport: as it has answered.
    mutating func begin(_ transport: String) {
        guard let ports = Self.serverPorts(transport) else { return }
        cameraPorts = ports
        send([0x80, 0, 0, 0] + [UInt8](repeating: 0, count: 8), to: ports.0, over: sockets.0)
        send([0x80, 201, 0, 1, 0, 0, 0, 0], to: ports.1, over: sockets.1)
    }

    /// Whether an answer to the request for datagrams grants them.
    static func isGranted(_ transports: [String]) -> Bool {
        guard transports.count == 1, let transport = transports.first?.lowercased() else { return false }
        return transport.hasPrefix("rtp/avp") && !transport.hasPrefix("rtp/avp/tcp") && !transport.contains(",")
            && !transport.contains("multicast")
    }

    static func serverPorts(_ transport: String) -> (UInt16, UInt16)? {
        let values = transport.split(separator: ";").compactMap { $0.trimmed.cutAtFirst("=") }
        guard let range = values.first(where: { $0.0.lowercased() == "server_port" })?.1 else { return nil }
        let ends = range.split(separator: "-").map { UInt16($0.trimmed) }
        guard let first = ends.first ?? nil, first > 0, first < .max else { return nil }
        return (first, (ends.count > 1 ? ends[1] : nil) ?? first + 1)
    }

    /// What ffmpeg says of the track, in RTCP.
    func report(_ packet: some Collection<UInt8>) {
        if let cameraPorts { send(packet, to: cameraPorts.1, over: sockets.1) }
    }

    private func send(_ bytes: some Collection<UInt8>, to port: UInt16, over socket: FileHandle) {
        var address = camera
        address.port = port
        address.send(bytes, over: socket)
    }

    /// Takes what has come: interleaved packets for ffmpeg.
    /// - Parameter room: for one datagram.
    mutating func take(_ room: inout [UInt8], now: Uptime) -> [UInt8] {
        var frames: [UInt8] = []
        for (socket, channel) in [(sockets.0, channels.0), (sockets.1, channels.1)] {
            while frames.count < Self.mostAtOnce, let got = SocketAddress.receive(socket.descriptor, into: &room) {
                guard got.from.isSameHost(as: camera), got.count <= room.count, Self.isRTP(room, got.count) else {
                    continue
                }
                let packet = Array(room[..<got.count])
                let isMedia = channel == channels.0
                for packet in isMedia ? order.add(packet, now: now) : [packet] {
                    frames += [UInt8(ascii: "$"), channel, UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)]
                    frames += packet
                }
            }
        }
        return frames
    }

    /// RTP or RTCP, of the only version that there is.
    private static func isRTP(_ bytes: [UInt8], _ count: Int) -> Bool { count >= 8 && bytes[0] >> 6 == 2 }
}
