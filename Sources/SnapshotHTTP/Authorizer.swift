import SnapshotBase

/// Computes the `Authorization` header for a server's challenge: Digest (RFC 2617 and 7616, MD5 or SHA-256) or Basic.
package struct Authorizer: Equatable, Sendable {
    private enum Scheme { case basic, md5, sha256 }

    private let scheme: Scheme
    private let realm: String
    private let nonce: String
    private let opaque: String?
    private let hasAuthQOP: Bool
    private var count = 0

    /// - Parameters:
    ///   - challenges: what the server offers; the initialiser fails if none is supported.
    ///   - mayBeBasic: whether Basic is allowed; it is used only if no Digest of any kind is offered.
    package init?(_ challenges: [LoginChallenge], mayBeBasic: Bool) {
        let known = challenges.compactMap(Authorizer.init(challenge:))
        let digests = known.filter { $0.scheme != .basic }
        if let best = digests.first(where: { $0.scheme == .sha256 }) ?? digests.first {
            self = best
        } else if mayBeBasic, !challenges.contains(where: { $0.scheme == "digest" }), let basic = known.first {
            self = basic
        } else {
            return nil
        }
    }

    private init?(challenge: LoginChallenge) {
        let fields = challenge.fields
        realm = fields["realm"] ?? ""
        nonce = fields["nonce"] ?? ""
        opaque = fields["opaque"]
        let qualities = fields["qop"]?.split(separator: ",").map { $0.trimmed.lowercased() }
        hasAuthQOP = qualities?.contains("auth") ?? false
        // A `qop` without "auth" offers only auth-int, which no known server requires, and which is not supported.
        if qualities?.isEmpty == false, !hasAuthQOP { return nil }
        switch (challenge.scheme, fields["algorithm"]?.lowercased() ?? "md5") {
        case ("basic", _): scheme = .basic
        case ("digest", "md5"): scheme = .md5
        case ("digest", "sha-256"): scheme = .sha256
        default: return nil
        }
    }

    /// The value of the `Authorization` header for one request.
    package mutating func authorization(
        user: String, password: String, method: String, url: String, clientNonce: String
    ) -> String {
        guard scheme != .basic else { return "Basic " + Crypto.base64(Array("\(user):\(password)".utf8)) }
        count += 1
        let login = digest("\(user):\(realm):\(password)")
        let request = digest("\(method):\(url)")
        var value = "Digest username=\(quoted(user)), realm=\(quoted(realm)), nonce=\(quoted(nonce)), uri=\"\(url)\""
        if hasAuthQOP {
            let padded = count.padded(8, radix: 16)
            let response = digest("\(login):\(nonce):\(padded):\(clientNonce):auth:\(request)")
            value += ", qop=auth, nc=\(padded), cnonce=\"\(clientNonce)\", response=\"\(response)\""
        } else {
            value += ", response=\"\(digest("\(login):\(nonce):\(request)"))\""
        }
        if let opaque { value += ", opaque=\(quoted(opaque))" }
        return scheme == .sha256 ? value + ", algorithm=SHA-256" : value
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    private func digest(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return hexadecimal(scheme == .sha256 ? Crypto.sha256(bytes) : Crypto.md5(bytes))
    }
}
