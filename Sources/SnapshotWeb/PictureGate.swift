import FoundationEssentials

/// Decides who may see what the camera saw: nobody, unless it is switched on; beyond this machine only who knows
/// the token; and wherever there is a token, only who knows it.
struct PictureGate {
    let isOn: Bool
    let token: String?

    /// Why the request is turned away; nil where it may pass.
    func refusal(of request: Request) -> Response? {
        guard isOn else {
            return .sentence(.notFound, "pictures are not switched on; WEB_IMAGES=true does it")
        }
        guard let token else {
            guard request.isLocal else {
                return .sentence(.forbidden, "beyond this machine pictures are shown only with a WEB_TOKEN")
            }
            // A foreign name that leads here is how other sites would read through the owner's browser.
            return Self.isOwnName(request.header("Host") ?? "localhost")
                ? nil : .sentence(.forbidden, "by this name pictures are shown only with a WEB_TOKEN")
        }
        if let given = Self.credential(request.header("Authorization")),
            Self.areEqual(given, Array(token.utf8))
        {
            return nil
        }
        return .sentence(
            .unauthorized, "the WEB_TOKEN is needed, as a bearer token or as the password of any user",
            fields: [
                ("WWW-Authenticate", #"Basic realm="snapshot", charset="UTF-8""#),
                ("WWW-Authenticate", #"Bearer realm="snapshot""#),
            ])
    }

    static func isOwnName(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" }.dropFirst() : host.prefix { $0 != ":" }
        if name == "::1" || name.lowercased() == "localhost" { return true }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }

    /// The token in `Bearer TOKEN`, or the password in `Basic …`, whoever the user.
    static func credential(_ header: String?) -> [UInt8]? {
        let parts = (header ?? "").split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return Array(parts[1].utf8)
        case "basic":
            guard let pair = Data(base64Encoded: String(parts[1])),
                let colon = pair.firstIndex(of: UInt8(ascii: ":"))
            else {
                return nil
            }
            return Array(pair[pair.index(after: colon)...])
        default: return nil
        }
    }

    /// Takes as long for a good guess as for a bad one.
    static func areEqual(_ given: [UInt8], _ secret: [UInt8]) -> Bool {
        var difference = given.count ^ secret.count
        for (index, byte) in given.enumerated() where !secret.isEmpty {
            difference |= Int(byte ^ secret[index % secret.count])
        }
        return difference == 0
    }
}
