import SnapshotBase
import SnapshotCore

/// How a server wants a login, and the answer to it: Digest (RFC 2617, MD5 or SHA-256) or Basic.
struct RTSPLogin: Equatable, Sendable {
    private enum Scheme { case basic, md5, sha256 }

    private let scheme: Scheme
    private let realm: String
    private let nonce: String
    private let opaque: String?
    private let hasQuality: Bool
    private var count = 0

    /// - Parameter challenges: the values of `WWW-Authenticate`, any of which may be answered; nil where none can be.
    init?(challenges: [String]) {
        let known = challenges.compactMap(RTSPLogin.init(challenge:))
        guard let best = known.first(where: { $0.scheme != .basic }) ?? known.first else { return nil }
        self = best
    }

    private init?(challenge: String) {
        let words = challenge.split(separator: " ", maxSplits: 1)
        guard let name = words.first?.lowercased() else { return nil }
        let fields = Self.fields(words.count > 1 ? words[1] : "")
        realm = fields["realm"] ?? ""
        nonce = fields["nonce"] ?? ""
        opaque = fields["opaque"]
        hasQuality = fields["qop"]?.split(separator: ",").contains { $0.trimmed == "auth" } ?? false
        switch (name, fields["algorithm"]?.lowercased() ?? "md5") {
        case ("basic", _): scheme = .basic
        case ("digest", "md5"): scheme = .md5
        case ("digest", "sha-256"): scheme = .sha256
        default: return nil
        }
    }

    /// `key=value, key="value"`
    private static func fields(_ text: Substring) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = text.trimmed
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].drop { $0 == "," || $0.isBlank }.trimmed.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: Substring
            if rest.first == "\"" {
                rest = rest.dropFirst()
                value = rest.prefix { $0 != "\"" }
                rest = rest[value.endIndex...].dropFirst()
            } else {
                value = rest.prefix { $0 != "," }
                rest = rest[value.endIndex...]
            }
            fields[key] = String(value.trimmed)
        }
        return fields
    }

    /// The value of `Authorization` for one request.
    mutating func authorization(
        user: String, password: String, method: String, url: String, clientNonce: String
    ) -> String {
        guard scheme != .basic else { return "Basic " + Crypto.base64(Array("\(user):\(password)".utf8)) }
        count += 1
        let login = digest("\(user):\(realm):\(password)")
        let request = digest("\(method):\(url)")
        var value = "Digest username=\"\(user)\", realm=\"\(realm)\", nonce=\"\(nonce)\", uri=\"\(url)\""
        if hasQuality {
            let number = String(count, radix: 16)
            let padded = String(repeating: "0", count: max(0, 8 - number.utf8.count)) + number
            let response = digest("\(login):\(nonce):\(padded):\(clientNonce):auth:\(request)")
            value += ", qop=auth, nc=\(padded), cnonce=\"\(clientNonce)\", response=\"\(response)\""
        } else {
            value += ", response=\"\(digest("\(login):\(nonce):\(request)"))\""
        }
        if let opaque { value += ", opaque=\"\(opaque)\"" }
        return scheme == .sha256 ? value + ", algorithm=SHA-256" : value
    }

    private func digest(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return hexadecimal(scheme == .sha256 ? Crypto.sha256(bytes) : Crypto.md5(bytes))
    }
}
