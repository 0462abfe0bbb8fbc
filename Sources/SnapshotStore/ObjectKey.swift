import SnapshotBase
import SnapshotSettings

/// `KEY_TEMPLATE`, checked: what a picture is called in the store.
package struct KeyTemplate: Sendable {
    private static let placeholders = ["camera", "yyyy", "MM", "dd", "HH", "mm", "ss", "timestamp"]

    private let text: String

    package init(_ settings: Settings) throws(Failure) {
        text = try settings[Key.keyTemplate]
        // The check costs as much as reading all other settings.
        if text == Key.keyTemplate.fallback { return }
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            guard Self.placeholders.contains(String(name)), name.endIndex < rest.endIndex else {
                let known = Self.placeholders.map { "{\($0)}" }.joined(separator: " ")
                throw settings.refusal(Key.keyTemplate, rule: "may only contain \(known)")
            }
            rest = rest[name.endIndex...]
        }
        let hasEmptyPart = text[...].cut(at: "/").contains("")
        guard !hasTraversal(text), !hasEmptyPart, !text.utf8.contains(UInt8(ascii: "\\")) else {
            throw settings.refusal(
                Key.keyTemplate,
                rule: "must be a path without '..', without empty parts and not begin or end with '/'")
        }
        guard key(camera: try settings[Key.cameraName], at: .now()).utf8.count <= 512 else {
            throw settings.refusal(Key.keyTemplate, rule: "must make keys of at most 512 bytes")
        }
    }

    /// The key of a picture: UTC, `{timestamp}` as `20260121T103045.123Z`.
    package func key(camera: String, at time: Timestamp) -> String {
        let fields = time.fields
        let values: Named<String> = [
            "camera": camera, "yyyy": fields.year, "MM": fields.month, "dd": fields.day, "HH": fields.hour,
            "mm": fields.minute, "ss": fields.second, "timestamp": time.compact,
        ]
        var key = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            key += String(rest[..<open]) + (values[String(name)] ?? "")
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return key + String(rest)
    }
}

/// Whether a key or prefix would step out of its place.
package func hasTraversal(_ path: String) -> Bool {
    path[...].cut(at: "/").contains { $0 == ".." || $0 == "." }
}
