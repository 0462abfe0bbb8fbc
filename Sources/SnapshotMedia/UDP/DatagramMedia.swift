import Glibc
import SnapshotBase

/// The transport of a camera's media.
package enum RTSPTransport: Sendable {
    /// Interleaved in the RTSP connection; where the camera refuses that, UDP.
    case auto
    /// Interleaved in the RTSP connection.
    case tcp
    /// RTP over UDP.
    case udp
}

/// The media of one session over UDP: a track each for video and audio.
struct DatagramMedia {
    /// Whether media goes over UDP in this session.
    var isUsed: Bool
    var tracks: [DatagramTrack] = []
    private var room = [UInt8]()
    /// When the wait for the first datagram ends; nil once one has arrived, or where none is expected.
    private(set) var firstDatagramBy: Deadline?

    private static let mostTracks = 8
    private static let firstTimeout = Duration.seconds(6)

    init(_ transport: RTSPTransport) { isUsed = transport == .udp }

    var descriptors: [Int32] { tracks.flatMap(\.descriptors) }

    /// The request to send to the camera: in ffmpeg's SETUP a new UDP track replaces the transport; other requests stay
    /// as they are. Throws where no track can be added.
    /// - Parameter connection: the descriptor of the connection to the camera.
    mutating func setUp(_ request: RTSPMessage, beside connection: Int32) throws(RTSPMalformed) -> RTSPMessage {
        guard isUsed, request.method == "SETUP" else { return request }
        guard tracks.count < Self.mostTracks, let channels = Self.channels(request),
            let track = DatagramTrack(beside: connection, channels: channels)
        else { throw RTSPMalformed() }
        tracks.append(track)
        var request = request
        request.set("Transport", track.transport)
        return request
    }

    /// Starts the track that the camera's response to a SETUP grants, and puts ffmpeg's own transport into the
    /// response.
    /// - Returns: the response for ffmpeg; nil where the camera grants another transport than was asked for.
    mutating func granted(_ response: RTSPMessage, to request: RTSPMessage) -> RTSPMessage? {
        guard isUsed, request.method == "SETUP", let last = tracks.indices.last else { return response }
        let transports = response.values("Transport")
        guard DatagramTrack.isGranted(transports), let granted = transports.first else { return nil }
        tracks[last].begin(granted)
        var response = response
        response.set("Transport", request.values("Transport").first)
        return response
    }

    /// Forgets the track of a SETUP that the camera hasn't granted.
    mutating func dropLast() { _ = tracks.popLast() }

    /// Media is about to flow: begins to wait for the first datagram.
    mutating func play() { if isUsed { firstDatagramBy = .after(Self.firstTimeout) } }

    /// Receives what has arrived on all tracks, without waiting.
    /// - Returns: interleaved packets for ffmpeg.
    mutating func take(now: Uptime) -> [UInt8] {
        if room.isEmpty { room = [UInt8](repeating: 0, count: 1 << 16 - 1) }
        var packets: [UInt8] = []
        for index in tracks.indices { packets += tracks[index].take(&room, now: now) }
        if !packets.isEmpty { firstDatagramBy = nil }
        return packets
    }

    /// Sends the RTCP among ffmpeg's interleaved packets to the camera's ports.
    func report(_ packets: UnsafeRawBufferPointer) {
        var rest = packets[...]
        while rest.count >= 4 {
            let start = rest.startIndex
            let size = Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            let packet = rest.dropFirst(4).prefix(size)
            if packet.count == size, let track = tracks.first(where: { $0.channels.1 == rest[start + 1] }) {
                track.report(packet)
            }
            rest = rest.dropFirst(4 + size)
        }
    }

    /// `interleaved=0-1`
    private static func channels(_ request: RTSPMessage) -> (UInt8, UInt8)? {
        let values = (request.values("Transport").first ?? "").split(separator: ";").compactMap { $0.cutAtFirst("=") }
        guard let range = values.first(where: { $0.0 == "interleaved" })?.1.cutAtFirst("-"),
            let first = UInt8(range.0), let second = UInt8(range.1)
        else { return nil }
        return (first, second)
    }
}
