import SnapshotBase
import TestKit
import Testing

@testable import SnapshotMedia

@Suite struct RTSPReaderTests {
    private let request = "ANNOUNCE rtsp://127.0.0.1:9/push RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    private let packet: [UInt8] = [0x24, 1, 0, 3, 7, 8, 9]

    private enum Item: Equatable {
        case message(RTSPMessage)
        case packets([UInt8])
    }

    private func items(_ bytes: [UInt8], pieces: Int) throws -> [Item] {
        var reader = RTSPReader()
        var items: [Item] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            reader.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            while let item = try reader.next() {
                switch item {
                case .message(let message): items.append(.message(message))
                case .packets(let range): items.append(.packets(reader.withBytes(range) { Array($0) }))
                }
            }
        }
        return items
    }

    @Test(arguments: [1, 2, 7, 1000])
    func messagesAndMediaInAnyPieces(_ pieces: Int) throws {
        let bytes =
            Array(request.utf8) + packet + packet + Array("\r\nRTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n".utf8) + packet
        let items = try items(bytes, pieces: pieces)
        let messages = items.compactMap { if case .message(let message) = $0 { message } else { nil } }
        var media: [UInt8] = []
        for case .packets(let packets) in items { media += packets }
        #expect(messages.map(\.startLine) == ["ANNOUNCE rtsp://127.0.0.1:9/push RTSP/1.0", "RTSP/1.0 200 OK"])
        #expect(messages.first?.body == Array("v=0\r\n".utf8))
        #expect(messages.map(\.status) == [nil, 200])
        #expect(messages.map(\.method) == ["ANNOUNCE", nil])
        #expect(media == packet + packet + packet)
    }

    @Test(arguments: ["\r\n", "\n"])
    func linesEndInEitherWayAndMayBeFolded(_ end: String) throws {
        let lines = [
            "RTSP/1.0 401 No", "CSeq:  7 ", "no header", "WWW-Authenticate: Digest realm=\"a\",", "  nonce=\"b\"", "",
            "",
        ]
        guard case .message(let message)? = try items(Array(lines.joined(separator: end).utf8), pieces: 5).first else {
            return #expect(Bool(false))
        }
        #expect(message.status == 401 && message.values("cseq") == ["7"])
        #expect(message.values("www-authenticate") == [#"Digest realm="a", nonce="b""#])
    }

    /// Packets of the least and the greatest size come out again.
    @Test(arguments: [1399, 65536])
    func mediaOfAnySizeInAnyPieces(_ piece: Int) throws {
        let sizes = [65535, 0, 1, 65535, 65535, 1400, 65535]
        let bytes = sizes.flatMap { [0x24, 0, UInt8($0 >> 8), UInt8($0 & 255)] + [UInt8](repeating: 7, count: $0) }
        var media: [UInt8] = []
        for case .packets(let packets) in try items(bytes + Array(request.utf8) + bytes, pieces: piece) {
            media += packets
        }
        #expect(media == bytes + bytes)
    }

    /// If bytes come one by one, those before aren't parsed again, which would take minutes.
    @Test func theTimeIsLinear() throws {
        let head = "RTSP/1.0 200 OK\r\nX: " + String(repeating: "\n x", count: 5400) + "\r\n\r\n"
        let many = (0..<20).flatMap { _ in Array(head.utf8) + Array(repeating: 10, count: 250) }
        let watch = systemClock.stopwatch()
        #expect(try items(many, pieces: 1).count == 20)
        #expect(watch.elapsed < .seconds(10))
    }

    /// The head isn't parsed again for each piece of the body.
    @Test func aBodyInPiecesTakesLinearTime() throws {
        let head = "RTSP/1.0 200 OK\r\nContent-Length: 60000\r\n" + String(repeating: "A: b\r\n", count: 120) + "\r\n"
        let body = [UInt8](repeating: UInt8(ascii: "$"), count: 60000)
        let watch = systemClock.stopwatch()
        guard case .message(let message)? = try items(Array(head.utf8) + body, pieces: 1).first else {
            return #expect(Bool(false))
        }
        #expect(message.body == body)
        #expect(watch.elapsed < .seconds(5))
    }

    @Test func aServerThatTalksUnasked() throws {
        var unsolicited = UnsolicitedMessages()
        var now = Uptime(nanoseconds: 0)
        for _ in 0..<16 { try unsolicited.count(at: now) }
        #expect(throws: RTSPMalformed.self) { try unsolicited.count(at: now) }
        // One a second is allowed for ever, and so is a whole burst after a long silence.
        unsolicited = UnsolicitedMessages()
        for _ in 0..<1000 {
            try unsolicited.count(at: now)
            now = now + .seconds(1)
        }
        now = now + .seconds(1_000_000)
        for _ in 0..<16 { try unsolicited.count(at: now) }
        #expect(throws: RTSPMalformed.self) { try unsolicited.count(at: now) }
    }

    @Test func whatIsReadIsWrittenAgain() throws {
        let items = try items(Array(request.utf8), pieces: 1000)
        guard case .message(let message)? = items.first else { return #expect(Bool(false)) }
        #expect(message.bytes == Array(request.utf8))
    }

    @Test func requestsAreChangedInPlace() throws {
        let items = try items(Array(request.utf8), pieces: 1000)
        guard case .message(var message)? = items.first else { return #expect(Bool(false)) }
        message.url = "rtsp://server/live"
        message.set("CSeq", "7")
        message.set("Authorization", nil)
        #expect(
            String(decoding: message.bytes, as: UTF8.self)
                == "ANNOUNCE rtsp://server/live RTSP/1.0\r\nContent-Length: 5\r\nCSeq: 7\r\n\r\nv=0\r\n")
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n\r\n", "OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n", "\u{1}\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n", String(repeating: "\r\n", count: 129),
        "OPTIONS * RTSP/1.0\r\nContent-Length: 9223372036854775808\r\n\r\n",
        "OPTIONS * RTSP/1.0\r\nContent-Length: x\r\n\r\n",
        String(repeating: "x", count: 20000), "RTSP/1.0 200 OK\r\n" + String(repeating: "A:\r\n", count: 129) + "\r\n",
    ])
    func otherProtocolsAreRefused(_ text: String) {
        #expect(throws: RTSPMalformed.self) { try items(Array(text.utf8), pieces: 4096) }
    }

    @Test(arguments: 0..<20)
    func anyBytesAreSurvived(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        let words = ["RTSP/1.0 200 OK\r\n", "CSeq: 1\r\n", "\r\n", "$", "Content-Length: 3\r\n", "\u{0}", "OPTIONS "]
        var messages = 0
        var refusals = 0
        for _ in 0..<100 {
            var reader = RTSPReader()
            for _ in 0..<30 {
                reader.append((words.randomElement(using: &generator) ?? "").utf8)
                do { while try reader.next() != nil { messages += 1 } } catch {
                    refusals += 1
                    break
                }
            }
        }
        #expect(messages > 0 && refusals > 0, "\(messages) messages, \(refusals) refusals")
    }
}

/// The same bytes for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
