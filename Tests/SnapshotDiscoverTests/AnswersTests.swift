import SnapshotBase
import Testing

@testable import SnapshotDiscover

@Suite struct AnswersTests {
    private let sender = IPv4Address(0xC0A8_0114)

    /// A header that was captured from Reolink's own program, which asked for answers to port 10304.
    @Test func aQuestionIsAsReolinksProgramSendsIt() {
        let packet = ReolinkPacket(askingFor: 10304, transaction: 0x003D_0A3A)
        #expect(hexadecimal(Array(packet.bytes.prefix(20))) == "3acf872a35000000010000003a0a3d008c2e049f")
        #expect(packet.bytes.count == 20 + 0x35)
        #expect(ReolinkPacket(packet.bytes) == packet)
    }

    @Test func whatIsCutOrChangedIsNoPacket() {
        let bytes = ReolinkPacket(askingFor: 3999, transaction: 0xFFFF_FFFF).bytes
        for length in 0..<bytes.count { #expect(ReolinkPacket(Array(bytes[..<length])) == nil) }
        for index in [0, 4, 16, 20, bytes.count - 1] {
            var other = bytes
            other[index] ^= 1
            #expect(ReolinkPacket(other) == nil)
        }
    }

    private func oldAnswer(_ fields: [Int: String], count: Int = 388) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for (offset, text) in fields { bytes.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8) }
        return bytes
    }

    @Test func theOldAnswerGivesModelAndHardwareAddress() {
        var bytes = oldAnswer([196: "RLC-410", 240: "secretaccesskey", 100: "secretaccesskey", 0: "192.168.9.9"])
        bytes.replaceSubrange(80..<86, with: [0xEC, 0x71, 0xDB, 0xA0, 0x0B, 0x0C])
        var device = ReolinkOld.device(bytes, from: sender)
        #expect(
            device?.mac == "ec:71:db:a0:0b:0c" && device?.model == "RLC-410" && device?.cameraAddress == "192.168.1.20")
        #expect(device.map { "\($0)".contains("secretaccesskey") } == false)
        device = ReolinkOld.device(oldAnswer([164: "EC71DB010203", 196: "\u{1B}[2J\nD340P"]), from: sender)
        #expect(device?.mac == "ec:71:db:01:02:03" && device?.model == #"\u{1b}[2J\u{a}D340P"#)
    }

    @Test(arguments: [0, 4, 227, 1025, 8192])
    func otherSizesAreNoOldAnswer(_ count: Int) {
        #expect(ReolinkOld.device([UInt8](repeating: 65, count: count), from: sender) == nil)
    }

    @Test func aNewAnswerGivesTheUID() {
        let text = "<P2P><D2C_S><timer><def>3000</def></timer><uid>95270002A3B4</uid></D2C_S></P2P>"
        let packet = ReolinkPacket(transaction: 7, payload: Array(text.utf8))
        #expect(ReolinkNew.device(packet.bytes, from: sender)?.uid == "95270002A3B4")
    }

    private func match(_ scopes: String) -> [UInt8] {
        Array(
            "<s:Envelope><s:Body><d:ProbeMatches><d:ProbeMatch a='1'><d:Scopes\n>\(scopes)</d:Scopes><d:XAddrs>http://8.8.8.8/</d:XAddrs>"
                .utf8)
    }

    @Test func ofONVIFNameAndModelCountAndTheSendersAddress() {
        let device = ONVIF.device(
            match("onvif://www.onvif.org/name/Hof%20%26%20Tor\n onvif://www.onvif.org/hardware/IPC-A&amp;B"),
            from: sender)
        #expect(device?.name == "Hof & Tor" && device?.model == "IPC-A&B" && device?.cameraAddress == "192.168.1.20")
        #expect(ONVIF.device(match("onvif://www.onvif.org/name/%zz%1b"), from: sender)?.name == "%zz%1b")
        #expect(ONVIF.device(Array("<html><body>no</body></html>".utf8), from: sender) == nil)
    }

    @Test func longTextsAreCut() {
        let long = String(repeating: "a", count: 5000)
        let device = ONVIF.device(match("onvif://www.onvif.org/name/\(long)"), from: sender)
        #expect((device?.name?.utf8.count ?? 0) < 70)
    }

    @Test func answersOfOneDeviceAreOne() {
        var devices: [Device] = []
        devices.merge(Device(.onvif, address: sender, model: "RLC-810A", name: "Yard"))
        devices.merge(Device(.reolink, address: IPv4Address(1), mac: "ec:71:db:00:00:02"))
        devices.merge(Device(.reolink, address: sender, mac: "ec:71:db:00:00:02", uid: "U"))
        #expect(devices.count == 1)
        #expect(devices[0].kinds == [.reolink, .onvif] && devices[0].name == "Yard" && devices[0].uid == "U")
        for number in 10..<500 { devices.merge(Device(.onvif, address: IPv4Address(UInt32(number)))) }
        #expect(devices.count == 64)
    }

    @Test(
        arguments: [
            ("1.2.3.4", 0x0102_0304), ("255.255.255.255", 0xFFFF_FFFF), ("1.2.3", nil), ("1.2.3.256", nil),
            ("1.2.3.+4", nil),
            ("01.2.3.0004", nil), ("", nil), ("::1", nil),
        ] as [(String, UInt32?)])
    func addresses(_ text: String, _ number: UInt32?) { #expect(IPv4Address(text)?.number == number) }

    @Test(
        arguments: [
            ("EC71DB000001", "ec:71:db:00:00:01"), ("ec-71-db-00-00-0f", "ec:71:db:00:00:0f"), ("000000000000", nil),
            ("ec71db0000", nil), ("zc71db000001", nil),
        ] as [(String, String?)])
    func hardwareAddresses(_ text: String, _ expected: String?) { #expect(hardwareAddress(text) == expected) }
}
