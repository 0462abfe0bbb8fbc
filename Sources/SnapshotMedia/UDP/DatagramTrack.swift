import Glibc
import SnapshotBase

/// One track of a camera's session over UDP: RTP at one port and RTCP at the next. Received packets become interleaved
/// packets for ffmpeg, and ffmpeg's RTCP reports are sent to the camera. Packets from other hosts are dropped.
struct DatagramTrack {
    /// The interleaved channels that ffmpeg asked for, for RTP and RTCP.
    let channels: (UInt8, UInt8)
    let ports: (UInt16, UInt16)
    private let sockets: (FileHandle, FileHandle)
    private let camera: SocketAddress
    /// The camera's ports for RTP and RTCP; nil until its response names them.
    private var cameraPorts: (UInt16, UInt16)?
    private var order = RTPOrder()

    private static let tries = 64
    /// In bytes; large, since a key frame arrives in one burst.
    private static let receiveBuffer: Int32 = 4 << 20
    /// About how many bytes one call takes from both sockets together, so that the RTSP connection is served in
    /// between.
    private static let mostAtOnce = 1 << 18

    /// Binds two consecutive ports, the first of them even, at the local address of the connection to the camera.
    /// - Parameter connection: the descriptor of the RTSP connection.
    /// - Returns: nil where no such pair is found.
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

    /// The descriptors to poll for reading.
    var descriptors: [Int32] { [sockets.0.descriptor, sockets.1.descriptor] }

    /// The value of the `Transport` header in the request to the camera.
    var transport: String { "RTP/AVP;unicast;client_port=\(ports.0)-\(ports.1)" }

    /// Starts a track that the camera has granted. An empty packet to each of the camera's ports makes stateful
    /// firewalls let its packets in.
    /// - Parameter transport: the `Transport` header of the camera's response.
    mutating func begin(_ transport: String) {
        guard let ports = Self.serverPorts(transport) else { return }
        cameraPorts = ports
        send([0x80, 0, 0, 0] + [UInt8](repeating: 0, count: 8), to: ports.0, over: sockets.0)
        send([0x80, 201, 0, 1, 0, 0, 0, 0], to: ports.1, over: sockets.1)
    }

    /// Whether the `Transport` headers of the response grant unicast RTP over UDP, and nothing else.
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

    /// Sends ffmpeg's RTCP packet to the camera; dropped until the camera's ports are known.
    func report(_ packet: some Collection<UInt8>) {
        if let cameraPorts { send(packet, to: cameraPorts.1, over: sockets.1) }
    }

    private func send(_ bytes: some Collection<UInt8>, to port: UInt16, over socket: FileHandle) {
        var address = camera
        address.port = port
        address.send(bytes, over: socket)
    }

    /// Receives what has arrived, without waiting.
    /// - Parameter room: a buffer for one datagram; longer datagrams are dropped.
    /// - Returns: interleaved packets for ffmpeg, the RTP in order.
    mutating func take(_ room: inout [UInt8], now: Uptime) -> [UInt8] {
        var interleaved: [UInt8] = []
        for (socket, channel) in [(sockets.0, channels.0), (sockets.1, channels.1)] {
            while interleaved.count < Self.mostAtOnce, let got = SocketAddress.receive(socket.descriptor, into: &room) {
                guard got.from.isSameHost(as: camera), got.count <= room.count, Self.isRTP(room, got.count) else {
                    continue
                }
                let packet = Array(room[..<got.count])
                let isMedia = channel == channels.0
                for packet in isMedia ? order.add(packet, now: now) : [packet] {
                    interleaved += [UInt8(ascii: "$"), channel, UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)]
                    interleaved += packet
                }
            }
        }
        return interleaved
    }

    /// Whether the bytes have a header of RTP or RTCP, both version 2.
    private static func isRTP(_ bytes: [UInt8], _ count: Int) -> Bool { count >= 8 && bytes[0] >> 6 == 2 }
}
