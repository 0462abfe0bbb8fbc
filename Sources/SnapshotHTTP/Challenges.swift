import SnapshotBase

/// The ways to log in that a server has asked for, over all answers of one transfer.
struct Challenges {
    /// In any answer so far.
    private(set) var haveOfferedDigest = false
    /// In the present answer.
    private var offersDigest = false
    private var offersAny = false

    private var count = 0

    /// A challenge, one more for a stale nonce: more is a server that asks for ever.
    var areTooMany: Bool { count > 3 }
    /// Whether the present answer asks for less than an earlier one: somebody wants the password readable.
    var areWeaker: Bool { haveOfferedDigest && offersAny && !offersDigest }

    /// Takes each line of a header, the status line included.
    mutating func take(_ line: String) {
        if line.hasPrefix("HTTP/") {
            (offersDigest, offersAny) = (false, false)
            if line.dropFirst(8).hasPrefix(" 401") { count += 1 }
        }
        guard let (name, value) = line[...].cutAtFirst(":"), name.lowercased() == "www-authenticate" else { return }
        offersAny = true
        offersDigest = offersDigest || Self.offerDigest(value)
        haveOfferedDigest = haveOfferedDigest || offersDigest
    }

    /// Whether one of the challenges in `value`, which commas separate, is Digest's.
    static func offerDigest(_ value: Substring) -> Bool {
        // What stands in quotes is a name that the server has chosen.
        let pieces = value.cut(at: "\"").enumerated().map { $0.offset % 2 == 0 ? $0.element : "" }
        return pieces.joined()[...].cut(at: ",").contains { challenge in
            challenge.split(separator: " ").first?.trimmed.lowercased() == "digest"
        }
    }
}
