import SnapshotBase

/// The older form of Reolink's discovery, a broadcast on the local network. The address that an answer claims is
/// ignored; the sender's address is used.
package enum ReolinkOld {
    package static let askPort: UInt16 = 2000
    package static let answerPort: UInt16 = 3000
    package static let request: [UInt8] = [0xAA, 0xAA, 0, 0]

    /// Parses an answer, which usually has 388 bytes; what is read is in the first 228. It also contains a key to the
    /// camera's video, which is never read.
    static func device(_ bytes: [UInt8], from address: IPv4Address) -> Device? {
        guard (228...1024).contains(bytes.count) else { return nil }
        let binary = bytes[80..<86].map { $0.padded(2, radix: 16) }.joined()
        let mac = text(bytes[164..<196]).flatMap { hardwareAddress($0) } ?? hardwareAddress(binary)
        return Device(.reolink, address: address, model: text(bytes[196..<228]), mac: mac)
    }

    /// A C string in a field of fixed length.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        deviceText(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    }
}

/// The present form of Reolink's discovery; `ReolinkPacket` is its datagram.
package enum ReolinkNew {
    package static let askPorts: [UInt16] = [2015, 2018]

    static func device(_ bytes: [UInt8], from address: IPv4Address) -> Device? {
        guard let packet = ReolinkPacket(bytes) else { return nil }
        return Device(.reolink, address: address, uid: SmallXML(packet.payload).first("uid").flatMap { deviceText($0) })
    }
}

/// ONVIF's discovery, which is WS-Discovery.
package enum ONVIF {
    package static let port: UInt16 = 3702

    /// A Probe message.
    /// - Parameter id: 32 hexadecimal digits, new ones for each discovery.
    static func probe(id: String) -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" \
            xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" \
            xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" \
            xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:\(dashed(id))</w:MessageID>\
            <w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>\
            <w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe>\
            <d:Types>n:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>
            """.utf8)
    }

    private static func dashed(_ id: String) -> String {
        let digits = Array(id)
        guard digits.count == 32 else { return id }
        return [digits[..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20...]].map { String($0) }
            .joined(separator: "-")
    }

    static func device(_ bytes: [UInt8], from address: IPv4Address) -> Device? {
        let answer = SmallXML(bytes)
        guard !answer.texts(of: "ProbeMatch").isEmpty else { return nil }
        var device = Device(.onvif, address: address)
        for scope in answer.texts(of: "Scopes").flatMap({ $0.split(whereSeparator: \.isWhitespace) }).prefix(32) {
            func value(_ kind: String) -> String? {
                guard let range = scope.range(of: "onvif://www.onvif.org/\(kind)/"),
                    range.lowerBound == scope.startIndex
                else { return nil }
                return deviceText(percentDecoded(scope[range.upperBound...]) ?? String(scope[range.upperBound...]))
            }
            device.name = device.name ?? value("name")
            device.model = device.model ?? value("hardware")
            device.mac = device.mac ?? (value("mac") ?? value("MAC")).flatMap { hardwareAddress($0) }
        }
        return device
    }
}
