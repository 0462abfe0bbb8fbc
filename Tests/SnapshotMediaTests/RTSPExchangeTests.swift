import SnapshotBase
import Testing

@testable import SnapshotMedia

@Suite struct RTSPAddressesTests {
    private let local = "rtsp://127.0.0.1:40000/SECRET"
    private func addresses() -> RTSPAddresses { RTSPAddresses(local: local, server: "rtsp://10.0.0.2:554/live?a=1") }

    @Test func theStreamAndWhatLiesBelowIt() {
        let addresses = addresses()
        #expect(addresses.outward(local) == "rtsp://10.0.0.2:554/live?a=1")
        #expect(addresses.outward(local + "/trackID=0") == "rtsp://10.0.0.2:554/live?a=1/trackID=0")
        #expect(addresses.outward(local + "X") == nil && addresses.outward("rtsp://127.0.0.1:40000/other") == nil)
        #expect(
            addresses.outward(local + ".0") == nil && addresses.outward(local + ".") == nil
                && addresses.outward("*") == nil)
    }

    /// An address that the camera gives itself becomes one of ours, and in requests its own again.
    @Test(arguments: [
        "rtsp://10.0.0.2:554/live?a=1/", "rtsp://10.0.0.2/live/", "RTSP://10.0.0.2:554/live/track1",
        "rtsps://[fe80::1]:322/x?y=z",
        "rtsp://user:pass@camera/", "rtsp://camera", "rtsp://10.0.0.2:554/live?a=12",
    ])
    func whateverTheCameraCallsItself(_ url: String) {
        var addresses = addresses()
        let ours = addresses.inward(url)
        #expect(ours.hasPrefix(local) && !ours.contains("10.0.0.2") && !ours.contains("camera"))
        #expect(addresses.outward(ours + "/0") == url + "/0")
    }

    @Test func severalInOneLine() {
        var addresses = addresses()
        let line =
            "url=rtsp://10.0.0.2:554/live?a=1/0;seq=1;rtptime=2,url=rtsp://cam/1;seq=3, see http://x/ and \"rtsp://cam\""
        #expect(
            addresses.inward(line)
                == "url=\(local)/0;seq=1;rtptime=2,url=\(local).0/1;seq=3, see http://x/ and \"\(local).0\"")
    }

    @Test func aCameraOfManyNames() {
        var addresses = addresses()
        for number in 0..<100 { #expect(addresses.inward("rtsp://h\(number)/").hasPrefix(local)) }
        #expect(addresses.outward(local + ".7/x") == "rtsp://h7/x" && addresses.outward(local + ".8/x") == nil)
    }

    @Test func descriptionsKeepTheirBytes() {
        var addresses = addresses()
        let head = Array("v=0\r\ns=".utf8) + [0xFF, 0xFE] + Array(" rtsp://stays/\r\na=control:*\r\n".utf8)
        let all = head + Array("A=Control:rtsp://10.0.0.2:554/live?a=1/t0\r\na=control:t1\r\n".utf8)
        let expected = head + Array("A=Control:\(local)/t0\r\na=control:t1\r\n".utf8)
        #expect(addresses.inward(description: all) == expected)
    }
}

@Suite struct RTSPExchangeTests {
    private let local = "rtsp://127.0.0.1:40000/SECRET"
    private func exchange(user: String? = "u", mayUseBasic: Bool = true, hasSeenDigest: Bool = false) -> RTSPExchange {
        RTSPExchange(
            RTSPServer(url: "rtsp://cam:554/live", user: user, password: "p", mayUseBasic: mayUseBasic),
            localURL: local,
            hasSeenDigest: hasSeenDigest)
    }

    private func request(_ method: String, _ number: Int) -> RTSPMessage {
        var message = RTSPMessage(startLine: "\(method) \(local) RTSP/1.0")
        message.set("CSeq", "\(number)")
        return message
    }

    private func response(_ status: String, to request: RTSPMessage?, _ headers: [String: String] = [:]) -> RTSPMessage
    {
        var message = RTSPMessage(startLine: "RTSP/1.0 \(status)")
        message.set("CSeq", request?.values("CSeq").first)
        for (name, value) in headers { message.set(name, value) }
        return message
    }

    @Test func theLoginIsSentFromHere() throws {
        var exchange = exchange()
        let first = try exchange.request(request("DESCRIBE", 70))
        #expect(
            first.url == "rtsp://cam:554/live" && first.values("CSeq") == ["1"] && first.values("Authorization").isEmpty
        )
        let challenge = response(
            "401 No", to: first, ["WWW-Authenticate": "Basic realm=\"x\", Digest realm=\"x\", nonce=\"n\""])
        guard case .again(let second) = exchange.receive(challenge) else { return #expect(Bool(false)) }
        #expect(second.values("Authorization").first?.hasPrefix("Digest ") == true && exchange.hasSeenDigest)
        let found = response(
            "200 OK", to: second, ["Content-Base": "rtsp://cam:554/live/", "Location": "rtsp://evil/"])
        guard case .pass(let answer) = exchange.receive(found) else { return #expect(Bool(false)) }
        #expect(answer.values("CSeq") == ["70"] && answer.values("Content-Base") == [local + "/"])
        #expect(answer.values("Location").isEmpty && exchange.end == nil)
        let next = try exchange.request(request("SETUP", 71))
        #expect(next.values("Authorization").first?.contains("Digest") == true)
    }

    @Test func aRefusalIsPassedOnWithoutItsChallenge() throws {
        var exchange = exchange()
        var sent = try exchange.request(request("DESCRIBE", 1))
        var tries = 0
        while case .again(let again) = exchange.receive(
            response("401 No", to: sent, ["WWW-Authenticate": "Basic realm=\"x\""]))
        {
            (sent, tries) = (again, tries + 1)
        }
        #expect(tries == 1 && exchange.end == .refused(401))
    }

    @Test func aStaleNonceIsAnsweredOnceMore() throws {
        var exchange = exchange()
        var sent = try exchange.request(request("DESCRIBE", 1))
        var tries = 0
        let stale = ["WWW-Authenticate": "Digest realm=\"x\", nonce=\"n\", stale=true"]
        while case .again(let again) = exchange.receive(response("401 No", to: sent, stale)) {
            (sent, tries) = (again, tries + 1)
        }
        #expect(tries == 2 && exchange.end == .refused(401))
    }

    @Test(arguments: [(false, false), (true, true), (false, true)])
    func basicWhereItMustNotBe(_ mayUseBasic: Bool, _ hasSeenDigest: Bool) throws {
        var exchange = exchange(mayUseBasic: mayUseBasic, hasSeenDigest: hasSeenDigest)
        let sent = try exchange.request(request("DESCRIBE", 1))
        let reply = exchange.receive(response("401 No", to: sent, ["WWW-Authenticate": "Basic realm=\"x\""]))
        guard case .pass(let answer) = reply else { return #expect(Bool(false)) }
        #expect(exchange.end == .insecure && answer.values("WWW-Authenticate").isEmpty)
    }

    @Test(arguments: [
        ("403 No", RTSPEnd.refused(403)), ("404 No", .rejected(404)), ("302 There", .redirected(302)),
        ("503 Later", .rejected(503)),
    ])
    func endsBeforeMediaFlows(_ status: String, _ end: RTSPEnd) throws {
        var exchange = exchange(user: nil)
        let sent = try exchange.request(request("DESCRIBE", 1))
        _ = exchange.receive(response(status, to: sent))
        #expect(exchange.end == end)
    }

    @Test func anotherTransportIsAskedForOnlyWhereThatIsAllowed() throws {
        for (mayChange, method, isOffered) in [
            (true, "SETUP", true), (true, "DESCRIBE", false), (false, "SETUP", false),
        ] {
            var exchange = exchange()
            exchange.mayChangeTransport = mayChange
            let sent = try exchange.request(request(method, 1))
            #expect((exchange.receive(response("461 No", to: sent)) == .otherTransport) == isOffered)
            #expect(exchange.end == (isOffered ? nil : .rejected(461)))
            #expect(!exchange.isWaiting)
        }
    }

    @Test func aServerWithoutASessionLeftEndsNothingYet() throws {
        var exchange = exchange()
        for number in 1...3 {
            let sent = try exchange.request(request("SETUP", number))
            #expect(exchange.receive(response("453 Not Enough Bandwidth", to: sent)) == .busy && exchange.end == nil)
        }
    }

    @Test func aRefusedQuestionEndsNothingOnceMediaFlows() throws {
        var exchange = exchange()
        _ = exchange.receive(response("200 OK", to: try exchange.request(request("PLAY", 1))))
        #expect(exchange.isFlowing)
        _ = exchange.receive(
            response("451 Parameter not understood", to: try exchange.request(request("GET_PARAMETER", 2))))
        #expect(exchange.end == nil)
    }

    @Test func answersWithoutANumberAreForTheOldestRequest() throws {
        var exchange = exchange()
        #expect(exchange.receive(response("200 OK", to: nil)) == .nothing)
        _ = try exchange.request(request("OPTIONS", 5))
        _ = try exchange.request(request("DESCRIBE", 6))
        guard case .pass(let first) = exchange.receive(response("200 OK", to: nil)) else { return #expect(Bool(false)) }
        #expect(first.values("CSeq") == ["5"] && exchange.isWaiting)
        #expect(throws: RTSPMalformed.self) {
            for number in 0..<100 { _ = try exchange.request(request("OPTIONS", number)) }
        }
    }

    @Test func theServersOwnRequestsAreAnsweredHere() {
        var asked = RTSPMessage(startLine: "REDIRECT rtsp://cam/ RTSP/1.0")
        asked.set("CSeq", "3")
        #expect(exchange().response(toServer: asked).startLine == "RTSP/1.0 501 Not Implemented")
    }
}
