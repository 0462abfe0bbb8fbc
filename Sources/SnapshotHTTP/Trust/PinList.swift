import SnapshotBase

/// The pinned public keys of TLS servers, stored as JSON.
package struct PinList: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package let host: HostAndPort
        package let pin: String
    }

    package private(set) var entries: [Entry] = []

    /// The limits of the file, which exceed the number of cameras in one state.
    package static let mostPins = 64
    package static let maximumBytes = 32768

    package init() {}

    /// - Returns: nil if `bytes` are not a valid list of this version.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.maximumBytes, let json = JSON(bytes), json["version"] == .integer(1),
            case .object(let object) = json["pins"], object.members.count <= Self.mostPins
        else { return nil }
        for member in object.members {
            guard let host = HostAndPort(member.name, defaultPort: 443), self[host] == nil,
                let pin = member.value.string, Self.isPin(pin)
            else { return nil }
            entries.append(Entry(host: host, pin: pin))
        }
    }

    package var bytes: [UInt8] {
        var pins = JSONObject()
        for entry in entries { pins.append(entry.host.description, .string(entry.pin)) }
        let object: JSONObject = ["version": 1, "pins": pins]
        return Array((object.json.text + "\n").utf8)
    }

    package subscript(host: HostAndPort) -> String? { entries.first { $0.host == host }?.pin }

    package var isFull: Bool { entries.count >= Self.mostPins }

    /// Adds a host that must not be in the list yet.
    package mutating func add(_ pin: String, for host: HostAndPort) { entries.append(Entry(host: host, pin: pin)) }

    package mutating func remove(_ host: HostAndPort) { entries.removeAll { $0.host == host } }

    /// Whether `text` is `sha256//` followed by 32 bytes in base64.
    package static func isPin(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst(8)
        return text.hasPrefix("sha256//") && digits.count == 44
            && digits.dropLast().allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
            }
            // The last digit of 32 bytes has two unused bits, which must be zero.
            && "AEIMQUYcgkosw048".utf8.contains(digits.dropLast().last ?? 0) && digits.last == UInt8(ascii: "=")
    }
}
