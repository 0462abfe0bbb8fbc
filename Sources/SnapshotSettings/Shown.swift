import SnapshotBase

extension SettingDeclaration {
    /// The part of a value that may be shown; nil if nothing may.
    package func shown(_ text: String) -> String? {
        switch secrecy {
        // The user may have entered user:password@host where only a host is expected.
        case .open: text.contains("@") && text.contains(":") ? redactedURL(text) : text
        case .url: program(in: text).map { $0 + " ***" } ?? redactedURL(text)
        case .urlWithSecretPath: withoutPath(text)
        case .secret: nil
        }
    }
}

/// `text` up to the end of the host.
private func withoutPath(_ text: String) -> String {
    let shown = redactedURL(text)[...]
    let host = shown.range(of: "://").map { shown[$0.upperBound...] } ?? shown
    guard let (_, path) = host.cutAtFirst("/"), !path.isEmpty else { return String(shown) }
    return shown[..<path.startIndex] + "***"
}

/// `text` without user, password, query, fragment, and parts of the path that some cameras use for passwords. It also
/// handles text that is not quite a URL.
package func redactedURL(_ text: String) -> String {
    var rest = text[...]
    var shown = ""
    if let scheme = rest.range(of: "://") {
        shown = String(rest[..<scheme.upperBound])
        rest = rest[scheme.upperBound...]
    }
    if let (_, hostAndPort) = rest.cutAtLast("@") {
        shown += "***@"
        rest = hostAndPort
    }
    let query = rest.utf8.firstIndex { "?#".utf8.contains($0) }
    let parts = rest[..<(query ?? rest.endIndex)].cut(at: "/")
    for index in parts.indices {
        let isSecret = isSecretPart(parts[index], after: index > 0 ? parts[index - 1] : "", isHost: index == 0)
        shown += (index > 0 ? "/" : "") + (isSecret ? "***" : String(parts[index]))
    }
    return shown + (query == nil ? "" : "?***")
}
