import Synchronization

/// The secrets that this process has read or been given. `Settings` notes every one that it hands out, so nobody has to
/// remember to.
package final class Secrets: Sendable {
    package static let ofThisRun = Secrets()

    /// Of fewer characters a secret could be guessed from where `***` stands.
    package static let shortest = 6
    /// More than any settings have; a row of shots gets ever new tokens from the camera.
    private static let most = 64
    private static let mostTokens = 16

    private let known = Mutex<(settings: [String], tokens: [String])>(([], []))

    package init(_ secrets: [String] = []) { for secret in secrets { note(secret) } }

    var all: [String] { known.withLock { $0.settings + $0.tokens } }

    package func note(_ secret: String) {
        guard !secret.isEmpty else { return }
        known.withLock { known in
            guard !known.settings.contains(secret) else { return }
            known.settings.append(secret)
            if known.settings.count > Self.most { known.settings.removeFirst() }
        }
    }

    /// A secret that lasts for some runs, such as a session's token.
    package func note(token: String) {
        guard !token.isEmpty else { return }
        known.withLock { known in
            guard !known.tokens.contains(token) else { return }
            known.tokens.append(token)
            if known.tokens.count > Self.mostTokens { known.tokens.removeFirst() }
        }
    }

    /// Whether any of them is in `text`, however it is written.
    package func areIn(_ text: String) -> Bool {
        let search = SecretSearch(Array(text.utf8)[...])
        return all.contains { !search.ranges(of: $0).isEmpty }
    }

    /// Notes the password of a URL, and what opens a place from within its path or query.
    /// - Parameter hasSecretPath: the whole path opens the place, as a dead man's switch has it.
    package func note(url: String, hasSecretPath: Bool) {
        // Whoever gives a program its arguments notes them as the program gets them.
        guard program(in: url) == nil else { return }
        let rest = url[...].range(of: "://").map { url[$0.upperBound...] } ?? url[...]
        if let (login, _) = rest.cutAtLast("@"), let (_, password) = login.cutAtFirst(":") { noteEncoded(password) }
        guard let start = rest.utf8.firstIndex(where: { "/?".utf8.contains($0) }) else { return }
        let (path, query) = rest[start...].cutAtFirst("?") ?? (rest[start...], "")
        if hasSecretPath, path.utf8.count > 1 { noteEncoded(path.dropFirst()) }
        noteEncoded(query)
        for part in path.cut(at: "/") + query.cut(at: "&") { notePassword(in: part) }
        let parts = path.cut(at: "/")
        for (name, value) in zip(parts, parts.dropFirst()) where isSecretName(name) && !value.isEmpty {
            noteEncoded(value)
        }
        for part in parts {
            if let (name, value) = part.cutAtFirst(":"), isSecretName(name) { noteEncoded(value) }
        }
    }

    /// The value in `k=value` or `user=admin_password=value_channel=1`.
    private func notePassword(in part: Substring) {
        let pieces = part.cut(at: "=")
        guard pieces.count > 1 else { return }
        for (name, value) in zip(pieces, pieces.dropFirst()) {
            let isLast = value.endIndex == part.endIndex
            // What follows the last `_` is the next value's name; the value itself may have some.
            let text = isLast ? value : value.cutAtLast("_")?.0 ?? value.cutAtLast("&")?.0 ?? value
            let name = name.lowercased()
            let isSecret = ["pass", "pwd", "psw", "pw", "token", "key", "auth", "secret", "sig"].contains {
                name[...].range(of: $0) != nil
            }
            if isSecret || text.utf8.count >= 8 { noteEncoded(text) }
        }
    }

    private func noteEncoded(_ text: Substring) {
        note(String(text))
        if let decoded = percentDecoded(text) { note(decoded) }
    }
}

/// `exec:/program` of `exec:/program argument …`, whose arguments may hold anything; nil where `text` has none, or is a URL.
package func program(in text: String) -> String? {
    guard let end = text.utf8.firstIndex(where: { $0 <= 0x20 }) else { return nil }
    let start = text[..<end]
    return start.range(of: "://") == nil ? String(start) : nil
}

/// Whether a part of a URL's path holds a password: `user=admin_password=…`, `password:…`, or what follows `/password/`.
package func isSecretPart(_ part: Substring, behind previous: Substring, isHost: Bool) -> Bool {
    if part.utf8.contains(UInt8(ascii: "=")) || isSecretName(previous) { return true }
    return !isHost && part.cutAtFirst(":").map { isSecretName($0.0) } ?? false
}

private func isSecretName(_ text: Substring) -> Bool {
    ["pass", "passwd", "password", "pwd", "psw", "pw", "token", "secret"].contains(text.lowercased())
}
