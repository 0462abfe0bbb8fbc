import Synchronization

/// The secrets that this process has read or received. `Settings` registers every secret that it returns, so callers
/// need not.
package final class Secrets: Sendable {
    package static let ofThisRun = Secrets()

    /// The minimum length, in characters, of a secret that `***` may replace; a shorter one could be guessed.
    package static let shortest = 6
    /// The limits of what is kept. No settings have more secrets; a long-running command gets ever new tokens.
    private static let mostSettings = 64
    private static let mostTokens = 16

    private let known = Mutex<(settings: [String], tokens: [String])>(([], []))

    package init(_ secrets: [String] = []) { for secret in secrets { register(secret) } }

    var all: [String] { known.withLock { $0.settings + $0.tokens } }

    /// Registers a secret, so that it is hidden in messages.
    package func register(_ secret: String) {
        guard !secret.isEmpty else { return }
        known.withLock { known in
            guard !known.settings.contains(secret) else { return }
            known.settings.append(secret)
            if known.settings.count > Self.mostSettings { known.settings.removeFirst() }
        }
    }

    /// Registers a secret that changes from time to time, such as a session token.
    package func register(token: String) {
        guard !token.isEmpty else { return }
        known.withLock { known in
            guard !known.tokens.contains(token) else { return }
            known.tokens.append(token)
            if known.tokens.count > Self.mostTokens { known.tokens.removeFirst() }
        }
    }

    /// Whether `text` contains any of the secrets, in whatever encoding.
    package func areIn(_ text: String) -> Bool {
        let search = SecretSearch(Array(text.utf8)[...])
        return all.contains { !search.ranges(of: $0).isEmpty }
    }

    /// Registers the password of a URL, and the credentials in its path or query.
    /// - Parameter hasSecretPath: whether the whole path is a credential, as with dead man's switches.
    package func register(url: String, hasSecretPath: Bool) {
        // The arguments of a program are registered by `register(argument:)`.
        guard program(in: url) == nil else { return }
        let rest = url[...].range(of: "://").map { url[$0.upperBound...] } ?? url[...]
        if let (login, _) = rest.cutAtLast("@"), let (_, password) = login.cutAtFirst(":") { registerEncoded(password) }
        guard let start = rest.utf8.firstIndex(where: { "/?".utf8.contains($0) }) else { return }
        let (path, query) = rest[start...].cutAtFirst("?") ?? (rest[start...], "")
        if hasSecretPath, path.utf8.count > 1 { registerEncoded(path.dropFirst()) }
        registerEncoded(query)
        for part in path.cut(at: "/") + query.cut(at: "&") { registerPassword(in: part) }
        let parts = path.cut(at: "/")
        for index in 1..<parts.count where isSecretName(parts[index - 1]) && !parts[index].isEmpty {
            registerEncoded(parts[index])
        }
        for part in parts {
            if let (name, value) = part.cutAtFirst(":"), isSecretName(name) { registerEncoded(value) }
        }
    }

    /// Registers the values in `k=value` or `user=admin_password=value_channel=1` that have a secret's name or at least
    /// eight bytes.
    private func registerPassword(in part: Substring) {
        let pieces = part.cut(at: "=")
        guard pieces.count > 1 else { return }
        for (name, value) in zip(pieces, pieces.dropFirst()) {
            let isLast = value.endIndex == part.endIndex
            // The text after the last `_` is the name of the next value; the value itself may contain `_`.
            let text = isLast ? value : value.cutAtLast("_")?.0 ?? value.cutAtLast("&")?.0 ?? value
            let name = name.lowercased()
            let isSecret = ["pass", "pwd", "psw", "pw", "token", "key", "auth", "secret", "sig"].contains {
                name[...].range(of: $0) != nil
            }
            if isSecret || text.utf8.count >= 8 { registerEncoded(text) }
        }
    }

    private func registerEncoded(_ text: Substring) {
        register(String(text))
        if let decoded = percentDecoded(text) { register(decoded) }
    }
}

/// The part `exec:/program` of `exec:/program argument …`; nil if `text` has no arguments or is a URL.
package func program(in text: String) -> String? {
    guard let end = text.utf8.firstIndex(where: { $0 <= 0x20 }) else { return nil }
    let start = text[..<end]
    return start.range(of: "://") == nil ? String(start) : nil
}

/// Whether a part of a URL's path holds a password: `user=admin_password=…`, `password:…`, or the part after
/// `/password/`.
package func isSecretPart(_ part: Substring, after previous: Substring, isHost: Bool) -> Bool {
    if part.utf8.contains(UInt8(ascii: "=")) || isSecretName(previous) { return true }
    return !isHost && part.cutAtFirst(":").map { isSecretName($0.0) } ?? false
}

private func isSecretName(_ text: Substring) -> Bool {
    ["pass", "passwd", "password", "pwd", "psw", "pw", "token", "secret"].contains(text.lowercased())
}
