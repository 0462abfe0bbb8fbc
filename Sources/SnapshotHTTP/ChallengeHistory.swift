import SnapshotBase

/// The authentication methods that a server has offered, in all responses of one transfer.
struct ChallengeHistory {
    /// Whether any response has offered Digest.
    private(set) var hasOfferedDigest = false
    /// Whether the current response offers Digest.
    private var offersDigest = false
    private var offersAny = false

    /// The values of `WWW-Authenticate` in the current response.
    private(set) var present: [String] = []
    /// Whether a request with a login followed a challenge.
    private(set) var areAnswered = false
    private var isChallenge = false
    private var count = 0

    /// Whether the server keeps sending challenges. Two are normal: the first, and one for a stale nonce.
    var areTooMany: Bool { count > 3 }
    /// Whether the current response does not offer Digest although an earlier one did: that may be an attempt to get
    /// the password in clear text.
    var areWeaker: Bool { hasOfferedDigest && offersAny && !offersDigest }

    /// Processes one line of a header, including the status line.
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
        offersDigest = offersDigest || Self.hasDigest(value)
        hasOfferedDigest = hasOfferedDigest || offersDigest
    }

    /// Whether one of the comma-separated challenges in `value` is for Digest.
    static func hasDigest(_ value: Substring) -> Bool {
        // Quoted text is a name that the server has chosen, so it is skipped.
        let pieces = value.cut(at: "\"").enumerated().map { $0.offset % 2 == 0 ? $0.element : "" }
        return pieces.joined()[...].cut(at: ",").contains { challenge in
            challenge.split(whereSeparator: \.isBlank).first?.lowercased() == "digest"
        }
    }
}
