import SnapshotBase

/// A camera that was found. All texts are its own claims: any host on the network may send anything.
package struct Device: Equatable, Sendable {
    /// The protocol by which it answered; `v4l2` for a camera at this machine.
    package enum Kind: String, JSONValue, Sendable { case reolink, onvif, v4l2 }

    /// The address that it answered from; nil for a camera at this machine.
    package var address: IPv4Address?
    /// The device file of a camera at this machine.
    package var path: String?
    package var kinds: [Kind]
    package var model: String?
    package var name: String?
    /// The hardware address, as `ec:71:db:00:00:01`.
    package var mac: String?
    /// The identifier by which Reolink's app finds the camera.
    package var uid: String?

    package init(
        _ kind: Kind, address: IPv4Address? = nil, path: String? = nil, model: String? = nil, name: String? = nil,
        mac: String? = nil, uid: String? = nil
    ) {
        kinds = [kind]
        (self.address, self.path, self.model, self.name) = (address, path, model, name)
        (self.mac, self.uid) = (mac, uid)
    }

    package var isReolink: Bool { kinds.contains(.reolink) }

    /// The camera as the settings name it: its IP address, or its device file.
    package var cameraAddress: String { address.map(\.description) ?? path ?? "" }

    package var json: JSON {
        let object: JSONObject = [
            "address": address.map(\.description), "path": path, "kinds": kinds, "model": model, "name": name,
            "mac": mac, "uid": uid,
        ]
        return .object(object)
    }

    /// Takes over facts from another answer of the same device, where this one has none.
    mutating func learn(from other: Device) {
        for kind in other.kinds where !kinds.contains(kind) { kinds.append(kind) }
        kinds.sort { $0.rawValue > $1.rawValue }
        model = model ?? other.model
        name = name ?? other.name
        mac = mac ?? other.mac
        uid = uid ?? other.uid
    }

    func isSame(as other: Device) -> Bool {
        func equal<Value: Equatable>(_ one: Value?, _ two: Value?) -> Bool { one != nil && one == two }
        return equal(address, other.address) || equal(mac, other.mac) || equal(uid, other.uid)
    }
}

extension [Device] {
    /// More than any home has; bounds the memory that a hostile host can fill with made-up devices.
    static var mostDevices: Int { 64 }

    /// Adds an answer to the device that it is from, or as a new one.
    /// - Returns: false if there are too many devices for a new one.
    @discardableResult
    mutating func merge(_ device: Device) -> Bool {
        guard let first = firstIndex(where: { $0.isSame(as: device) }) else {
            guard count < Self.mostDevices else { return false }
            append(device)
            return true
        }
        self[first].learn(from: device)
        // The answer may show that two known devices are the same one.
        while let second = self[(first + 1)...].firstIndex(where: { $0.isSame(as: self[first]) }) {
            self[first].learn(from: remove(at: second))
        }
        return true
    }
}

/// A hardware address as `ec:71:db:00:00:01`, from twelve hexadecimal digits that may be separated by `:`, `-` or `.`;
/// nil for anything else, and for zeros.
package func hardwareAddress(_ text: some StringProtocol) -> String? {
    let digits = text.utf8.filter { !":-.".utf8.contains($0) }.map { Character(Unicode.Scalar($0)) }
    guard digits.count == 12, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), digits.contains(where: { $0 != "0" })
    else { return nil }
    return stride(from: 0, to: 12, by: 2).map { String(digits[$0...($0 + 1)]).lowercased() }.joined(separator: ":")
}

/// A text from outside, printable and bounded; nil if nothing is left.
func deviceText(_ text: some StringProtocol) -> String? {
    let text = String(text).printable(limit: 64)[...].trimmed
    return text.isEmpty ? nil : String(text)
}

extension Substring {
    /// Without the blanks at both ends.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
