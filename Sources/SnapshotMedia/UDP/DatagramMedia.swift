import Glibc
import SnapshotBase

/// How media comes from a camera.
package enum RTSPTransport: Sendable {
    /// Over the connection; where that is refused, as datagrams.
    case auto
    /// Over the connection on which it is asked for.
    case tcp
    /// As datagrams beside it.
    case udp
}

/// The tracks of a session whose media comes as datagrams.
struct DatagramMedia {
    var isUsed: Bool
    var tracks: [DatagramTrack] = []
    private var room = [UInt8]()
    /// By when the first datagram has to be there; nil once it is, or where none is waited for.
    private(set) var firstBy: Deadline?

    private static let mostTracks = 8
    private static let firstWithin = Duration.seconds(6)

    init(_ transport: RTSPTransport) { isUsed = transport == .udp }

    var descriptors: [Int32] { tracks.flatMap(\.descriptors) }

    /// ffmpeg's request for a track, as the camera gets it.
    /// - Parameter connection: to the camera.
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

    /// The camera's answer to it, as ffmpeg gets it.
    /// - Returns: nil where it isn't what was asked for.
    mutating func granted(_ answer: RTSPMessage, to request: RTSPMessage) -> RTSPMessage? {
        guard isUsed, request.method == "SETUP", let last = tracks.indices.last else { return answer }
        let transports = answer.values("Transport")
        guard DatagramTrack.isGranted(transports), let granted = transports.first else { return nil }
        tracks[last].begin(granted)
        var answer = answer
        answer.set("Transport", request.values("Transport").first)
        return answer
    }

    /// The camera hasn't granted it.
    mutating func dropLast() { _ = tracks.popLast() }

    mutating func play() { if isUsed { firstBy = .after(Self.firstWithin) } }

    /// Takes what has come: interleaved packets for ffmpeg.
    mutating func take(now: Uptime) -> [UInt8] {
        if room.isEmpty { room = [UInt8](repeating: 0, count: 1 << 16 - 1) }
        var frames: [UInt8] = []
        for index in tracks.indices { frames += tracks[index].take(&room, now: now) }
        if !frames.isEmpty { firstBy = nil }
        return frames
    }

    /// ffmpeg's interleaved packets, to where they belong.
    func report(_ frames: UnsafeRawBufferPointer) {
        var rest = frames[...]
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
