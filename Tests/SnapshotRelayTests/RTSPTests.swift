import SnapshotBase
import Testing

@testable import SnapshotRelay

@Suite struct RTSPReaderTests {
    private let request = "ANNOUNCE rtsp://127.0.0.1:9/push RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    private let packet: [UInt8] = [0x24, 1, 0, 3, 7, 8, 9]

    private func items(_ bytes: [UInt8], pieces: Int) throws -> [RTSPReader.Item] {
        var reader = RTSPReader()
        var items: [RTSPReader.Item] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            reader.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            while let item = try reader.next() { items.append(item) }
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
        "OPTIONS * RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n", "OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        String(repeating: "x", count: 20000),
    ])
    func otherProtocolsAreRefused(_ text: String) {
        #expect(throws: RTSPReader.Malformed.self) { try items(Array(text.utf8), pieces: 4096) }
    }

    @Test(arguments: 0..<20)
    func anyBytesAreSurvived(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        let words = ["RTSP/1.0 200 OK\r\n", "CSeq: 1\r\n", "\r\n", "$", "Content-Length: 3\r\n", "\u{0}", "OPTIONS "]
        for _ in 0..<100 {
            var reader = RTSPReader()
            for _ in 0..<30 {
                reader.append((words.randomElement(using: &generator) ?? "").utf8)
                do { while try reader.next() != nil {} } catch { break }
            }
        }
    }
}

@Suite struct RTSPLoginTests {
    /// The example of RFC 2617, section 3.5.
    @Test func digestWithQuality() throws {
        var login = try #require(
            RTSPLogin(challenges: [
                #"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#
            ]))
        let value = login.authorization(
            user: "Mufasa", password: "Circle Of Life", method: "GET", url: "/dir/index.html", clientNonce: "0a4f113b")
        #expect(value.contains(#"response="6629fae49393a05397450978507c4ef1""#))
        #expect(value.contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""))
        #expect(value.contains(#"opaque="5ccc069c403ebaf9f0171e9517f40e41""#))
        let second = login.authorization(user: "M", password: "C", method: "GET", url: "/", clientNonce: "x")
        #expect(second.contains("nc=00000002"))
    }

    /// The example of RFC 7616, section 3.9.1.
    @Test func digestWithSHA256() throws {
        var login = try #require(
            RTSPLogin(challenges: [
                #"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            ]))
        let value = login.authorization(
            user: "Mufasa", password: "Circle of Life", method: "GET", url: "/dir/index.html",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        #expect(value.contains(#"response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1""#))
    }

    @Test func basicOnlyWhereNothingBetterIsOffered() throws {
        var basic = try #require(RTSPLogin(challenges: ["Basic realm=\"x\""]))
        #expect(
            basic.authorization(user: "Aladdin", password: "open sesame", method: "GET", url: "/", clientNonce: "")
                == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        var both = try #require(RTSPLogin(challenges: ["Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"n\""]))
        let value = both.authorization(user: "u", password: "p", method: "GET", url: "/", clientNonce: "")
        #expect(value.hasPrefix("Digest "))
        #expect(RTSPLogin(challenges: ["Negotiate", "Digest algorithm=SHA-512-256, nonce=\"n\""]) == nil)
        #expect(RTSPLogin(challenges: []) == nil)
    }
}
