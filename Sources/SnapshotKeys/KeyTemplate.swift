import SnapshotBase
import SnapshotSettings
import SnapshotState

/// KEY_TEMPLATE after its check: makes the name of a picture in the store.
package struct KeyTemplate: Sendable {
    package static let local = ["local_yyyy", "local_MM", "local_dd", "local_HH", "local_mm", "local_ss", "offset"]
    package static let fields = ["camera", "yyyy", "MM", "dd", "HH", "mm", "ss", "timestamp"] + local

    private let text: String
    private var isLocal = false
    /// A warning about the template for the user: one sentence.
    package private(set) var remark: String?

    /// Whether it is the default, which needs no check.
    package var isDefault: Bool { text == Key.keyTemplate.defaultValue }

    /// Literal text, or the name of a field.
    package enum Part {
        case text(String)
        case field(String)
    }

    /// A template from parts that have been checked.
    package init(parts: [Part]) {
        text = parts.reduce(into: "") { text, part in
            switch part {
            case .text(let piece): text += piece
            case .field(let name): text += "{\(name)}"
            }
        }
        isLocal = Self.local.contains { text.contains("{\($0)}") }
    }

    package var parts: [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            parts.append(.field(String(name)))
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return rest.isEmpty ? parts : parts + [.text(String(rest))]
    }

    /// - Throws: a failure of kind settings, where KEY_TEMPLATE isn't valid.
    package init(_ settings: Settings) throws(Failure) {
        text = try settings[Key.keyTemplate]
        // Skip the check for the default: it costs as much as reading all other settings.
        if text == Key.keyTemplate.defaultValue { return }
        var names: Set<String> = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            names.insert(String(name))
            guard Self.fields.contains(String(name)), name.endIndex < rest.endIndex else {
                let known = Self.fields.map { "{\($0)}" }.joined(separator: " ")
                throw settings.refusal(Key.keyTemplate, rule: "may have no other fields than \(known)")
            }
            rest = rest[name.endIndex...]
        }
        if let flaw = unexpandedFlaw(in: text, isPath: false) {
            throw settings.refusal(Key.keyTemplate, rule: flaw.rule, hint: "write {camera}, {yyyy}, {MM}, {dd} …")
        }
        try noteLocalTime(names, settings)
        let hasEmptyPart = text[...].cut(at: "/").contains("")
        guard !hasTraversal(text), !hasEmptyPart, !text.utf8.contains(UInt8(ascii: "\\")) else {
            throw settings.refusal(
                Key.keyTemplate, rule: "must be a path without '\\', and without parts that are empty, '.' or '..'")
        }
        guard key(camera: try settings[Key.cameraName], at: settings.context.clock.wall()).utf8.count <= 512 else {
            throw settings.refusal(Key.keyTemplate, rule: "must make keys of at most 512 bytes")
        }
    }

    private mutating func noteLocalTime(_ names: Set<String>, _ settings: Settings) throws(Failure) {
        isLocal = !names.isDisjoint(with: Self.local)
        guard isLocal else { return }
        if let zone = unknownTimeZone(settings.context.environment) {
            throw settings.refusal(
                Key.keyTemplate, rule: "needs the local time, and this system knows no zone TZ=\(zone)",
                hint: "install tzdata, or correct TZ; TZ=Europe/Berlin is one")
        }
        let tellsHour = names.contains("local_HH") && names.isDisjoint(with: ["offset", "timestamp", "HH"])
        if tellsHour, settings.context.clock.wall().isBeforeRepeatedHour {
            remark =
                "KEY_TEMPLATE has local hours without {offset}: the hour in autumn that comes twice gives the same keys "
                + "twice, and the later pictures take the place of the earlier ones"
        }
    }

    /// The key of a picture. Fields are in UTC, except for the local ones; `{timestamp}` is `20260121T103045.123Z`.
    package func key(camera: String, at time: Timestamp) -> String {
        let values = Self.values(camera: camera, at: time, withLocal: isLocal)
        var key = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            let name = rest[rest.index(after: open)...].prefix { $0 != "}" }
            key += String(rest[..<open]) + (values[String(name)] ?? "")
            rest = rest[rest.index(after: name.endIndex)...]
        }
        return key + String(rest)
    }

    /// The value of each field.
    /// - Parameter withLocal: includes the fields of local time, which need the system's time zone files.
    package static func values(camera: String, at time: Timestamp, withLocal: Bool) -> NamedValues<String> {
        let fields = time.fields
        var values: NamedValues<String> = [
            "camera": camera, "yyyy": fields.year, "MM": fields.month, "dd": fields.day, "HH": fields.hour,
            "mm": fields.minute, "ss": fields.second, "timestamp": time.compact,
        ]
        guard withLocal else { return values }
        let (local, offset) = time.local
        let parts = [local.year, local.month, local.day, local.hour, local.minute, local.second, offset]
        for (name, value) in zip(Self.local, parts) { values[name] = value }
        return values
    }
}

/// Whether a key or prefix contains `.` or `..` as a part, and so could leave its folder.
package func hasTraversal(_ path: String) -> Bool { path[...].cut(at: "/").contains { $0 == ".." || $0 == "." } }
