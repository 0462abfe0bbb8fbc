import SnapshotBase

/// The ways to log in that a server has asked for, over all answers of one transfer.
struct Challenges {
    /// In any answer so far.
    private(set) var haveOfferedDigest = false
    /// In the present answer.
    private var offersDigest = false
    private var offersAny = false

    /// The values of `WWW-Authenticate` in the present answer.
    private(set) var present: [String] = []
    /// Whether a challenge was followed by another request, which had a login.
    private(set) var areAnswered = false
    private var isChallenge = false
    private var count = 0

    /// A challenge, one more for a stale nonce: more is a server that asks for ever.
    var areTooMany: Bool { count > 3 }
    /// Whether the present answer asks for less than an earlier one: somebody wants the password readable.
    var areWeaker: Bool { haveOfferedDigest && offersAny && !offersDigest }

    /// Takes each line of a header, the status line included.
    mutating func take(_ line: String) {
        if line.hasPrefix("HTTP/") {
            areAnswered = areAnswered || isChallenge
            isChallenge = line.dropFirst(8).hasPrefix(" 401")
            (offersDigest, offersAny, present) = (false, false, [])
            if isChallenge { count += 1 }
        }
        guard let (name, value) = line[...].cutAtFirst(":"), name.lowercased() == "www-authenticate" else { return }
        offersAny = true
        if present.count < 16 { present.append(String(value.filter { !$0.isNewline })) }
        offersDigest = offersDigest || Self.offerDigest(value)
        haveOfferedDigest = haveOfferedDigest || offersDigest
    }

    /// Whether one of the challenges in `value`, which commas separate, is Digest's.
    static func offerDigest(_ value: Substring) -> Bool {
        // What stands in quotes is a name that the server has chosen.
        let pieces = value.cut(at: "\"").enumerated().map { $0.offset % 2 == 0 ? $0.element : "" }
        return pieces.joined()[...].cut(at: ",").contains { challenge in
            challenge.split(whereSeparator: \.isBlank).first?.lowercased() == "digest"
        }
    }
}
