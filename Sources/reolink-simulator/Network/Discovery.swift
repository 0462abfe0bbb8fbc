import Glibc
import SnapshotBase
import SnapshotDiscover

/// Answers discovery requests on the local network as cameras do, from the address that the simulator listens on.
struct DiscoveryAnswers: Sendable {
    enum Form: String, CaseIterable, Sendable { case old, new, onvif }

    let forms: [Form]
    let host: String
    let model: String
    let name: String
    let mac: String
    let uid: String

    /// Binds all ports, and starts a thread for each port, which answers requests there.
    func start() throws {
        guard let address = IPv4Address(host) else { throw StartupError("discovery \(host)", "not an IPv4 address") }
        do {
            let answers = try UDPSocket(address, port: 0)
            for form in Set(forms) {
                for port in ports(form) {
                    let questions = try UDPSocket(IPv4Address(0), port: port, isShared: true)
                    if form == .onvif { try questions.join(.onvifGroup, at: address) }
                    guard detach({ serve(form, questions, answers) }) else {
                        throw StartupError("discovery", "no thread can be had")
                    }
                }
            }
        } catch let error as SystemError {
            throw StartupError("discovery at \(host)", "\(error)")
        }
    }

    private func ports(_ form: Form) -> [UInt16] {
        switch form {
        case .old: [ReolinkOld.askPort]
        case .new: ReolinkNew.askPorts
        case .onvif: [ONVIF.port]
        }
    }

    private func serve(_ form: Form, _ questions: UDPSocket, _ answers: UDPSocket) -> Never {
        while true {
            var waiting = pollfd(fd: questions.handle.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, -1)
            guard let (question, sender, port) = questions.receive() else { continue }
            for (answer, target) in answer(form, question, port) {
                try? answers.send(answer, to: sender, target)
            }
        }
    }

    /// - Returns: datagrams, each with the port that it goes to.
    private func answer(_ form: Form, _ question: [UInt8], _ port: UInt16) -> [([UInt8], UInt16)] {
        switch form {
        case .old: return question == ReolinkOld.request ? [(facts, ReolinkOld.answerPort)] : []
        case .new:
            guard let packet = ReolinkPacket(question),
                let port = SmallXML(packet.payload).first("port").flatMap(UInt16.init)
            else { return [] }
            let text = "<P2P><D2C_S><dev><uid>\(uid)</uid></dev></D2C_S></P2P>"
            let known = ReolinkPacket(transaction: packet.transaction, payload: Array(text.utf8))
            return [(known.bytes, port), (facts, ReolinkOld.answerPort)]
        case .onvif: return SmallXML(question).first("Types") != nil ? [(match, port)] : []
        }
    }

    /// The 388 bytes of a Reolink camera's answer. As a real one's, they hold an access key, which no client may show.
    private var facts: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 388)
        func put(_ text: String, at offset: Int, limit: Int) {
            for (index, byte) in text.utf8.prefix(limit - 1).enumerated() { bytes[offset + index] = byte }
        }
        let digits = Array(mac.filter { $0 != ":" })
        for index in 0..<min(6, digits.count / 2) {
            bytes[80 + index] = UInt8(String(digits[(index * 2)...(index * 2 + 1)]), radix: 16) ?? 0
        }
        put("ACCESSKEY-OF-THE-SIMULATOR", at: 100, limit: 40)
        put(mac, at: 164, limit: 32)
        put(model, at: 196, limit: 32)
        put("ACCESSKEY-OF-THE-SIMULATOR", at: 300, limit: 40)
        return bytes
    }

    private var match: [UInt8] {
        func encoded(_ text: String) -> String { percentEncoded(text) }
        return Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" \
            xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch>\
            <d:Types>tdn:NetworkVideoTransmitter</d:Types>\
            <d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/\(encoded(name)) \
            onvif://www.onvif.org/hardware/\(encoded(model))</d:Scopes>\
            <d:XAddrs>http://0.0.0.0:8000/onvif/device_service</d:XAddrs></d:ProbeMatch></d:ProbeMatches>\
            </SOAP-ENV:Body></SOAP-ENV:Envelope>
            """.utf8)
    }
}
