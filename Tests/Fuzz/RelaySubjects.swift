import SnapshotBase

@testable import SnapshotMedia
@testable import SnapshotRelay
@testable import SnapshotState

/// What the relay reads: from ffmpeg and ffprobe, from servers, and from files that it may have left itself.
let relaySubjects: [String: @Sendable ([UInt8]) -> Void] = [
    "progress": { bytes in
        var whole = Progress()
        var pieces = Progress()
        let grew = whole.read(bytes)
        let grewInPieces = inPieces(bytes) { pieces.read($0) }.contains(true)
        expect(grew == grewInPieces, "it matters how the bytes arrive")
    },
    "stderr": { bytes in
        let secret = "S3cret/1"
        var stderrTail = StderrTail(secrets: Secrets([secret]))
        _ = inPieces(bytes) { stderrTail.read($0) }
        stderrTail.endLine()
        expect(stderrTail.last.count <= 8, "\(stderrTail.last.count) lines")
        for line in stderrTail.last {
            expect(line.utf8.count <= 320 && !line.contains(secret), line)
            expect(line.unicodeScalars.allSatisfy { $0.value >= 32 }, "a control character")
        }
    },
    "ffprobe": { bytes in
        guard let facts = StreamFacts(ffprobe: bytes) else { return }
        expect(facts.size.map { $0.width > 0 && $0.height > 0 } ?? true, "no size")
        expect(isCodec(facts.video) && facts.audio.map(isCodec) ?? true, "no name of a codec")
    },
    "playlist": { bytes in
        guard var playlist = Playlist(String(decoding: bytes, as: UTF8.self)) else { return }
        expect(Playlist(playlist.text) == Playlist(Playlist(playlist.text)?.text ?? ""), "it changes when written")
        let count = playlist.segments.count
        let number = playlist.mediaSequence
        for segment in playlist.segments {
            for name in [segment.name, segment.initialisation].compactMap({ $0 }) {
                expect(!name.contains("/") && !name.hasPrefix(".") && !name.isEmpty, "the name \(name)")
            }
        }
        let gone = playlist.append([Playlist.Segment(name: "9.ts", seconds: 4)], limit: 6)
        expect(gone.count == max(0, count - 5) && playlist.mediaSequence == number + gone.count, "numbers")
    },
    "relay-report": { bytes in
        let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: "b")
        guard let report = RelayReport(bytes, now: now) else { return }
        let health = Health(
            .neverRan, relay: report, now: now, interval: 10, camera: "c", version: "0")
        _ = health.summary
        _ = health.reasons.map(health.sentence)
    },
    "recording": { bytes in
        let whole = FragmentedMP4.wholeLength(size: bytes.count) { Array(bytes[$0..<min($0 + 16, bytes.count)]) }
        expect((0...bytes.count).contains(whole), "a length of \(whole)")
        let text = String(decoding: bytes, as: UTF8.self)
        expect(RecordingName(text).map { $0.text == text } ?? true, "the name \(text)")
    },
    "mpegts": { bytes in
        var whole = TransportStream()
        var pieces = TransportStream()
        let passed = whole.read(bytes[...])
        expect(passed.count % TransportStream.packetSize == 0, "a part of a packet")
        expect(inPieces(bytes) { pieces.read($0) }.flatMap { $0 } == passed, "it matters how the bytes arrive")
    },
    "rtp": { bytes in
        var watch = FormatWatch(
            description: Array("a=rtpmap:96 H264/90000\r\na=rtpmap:98 H265/90000\r\n".utf8) + bytes)
        let unchanged = bytes.withUnsafeBytes { watch.unchanged(in: $0) }
        expect((0...bytes.count).contains(unchanged), "\(unchanged) of \(bytes.count) bytes")
        var order = RTPOrder()
        var (come, gone) = (0, 0)
        for (index, packet) in inPieces(bytes, Array.init).enumerated() {
            come += packet.count
            gone += order.add(packet, now: Uptime(nanoseconds: Int64(index) * 50_000_000)).reduce(0) { $0 + $1.count }
            expect(gone <= come, "more goes than has come")
        }
        _ = DatagramTrack.serverPorts(String(decoding: bytes, as: UTF8.self))
    },
    "rtsp": { bytes in
        var reader = RTSPReader()
        var exchange = RTSPExchange(
            RTSPServer(url: "rtsp://h/", user: "u", password: "p", mayUseBasic: true), localURL: "rtsp://127.0.0.1:9/s",
            hasSeenDigest: false)
        for piece in inPieces(bytes, { $0 }) {
            reader.append(piece)
            while true {
                guard let item = try? reader.next() else { break }
                guard case .message(let message) = item else { continue }
                expect(message.method == nil || message.status == nil, "a request that is an answer")
                _ = try? exchange.request(message)
                guard case .pass(let answer) = exchange.receive(message) else { continue }
                expect(
                    answer.values("Location").isEmpty && answer.values("WWW-Authenticate").isEmpty, "a way elsewhere")
            }
        }
    },
]

/// As a pipe or a connection may bring them: a few, then more and more at a time.
private func inPieces<Result>(_ bytes: [UInt8], _ read: (ArraySlice<UInt8>) -> Result) -> [Result] {
    var results: [Result] = []
    var start = 0
    var size = 1
    while start < bytes.count {
        let end = min(bytes.count, start + size)
        results.append(read(bytes[start..<end]))
        (start, size) = (end, size * 2 + 1)
    }
    return results
}

private func isCodec(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
}
