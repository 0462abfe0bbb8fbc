import SnapshotBase

/// A configuration or credentials file of the AWS tools: sections of `name = value`, parsed as by Python's
/// `RawConfigParser`. `:` separates as well as `=`, comments are whole lines, and lines that are indented more than a
/// value continue it.
package struct AWSFile: Sendable {
    package let path: String
    private var sections = NamedValues<NamedValues<String>>()

    package init(_ text: String, path: String) {
        self.path = path
        var (section, option): (String?, String?)
        var depth = 0
        for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }) {
            let content = line.trimmed
            guard let first = content.first, first != "#", first != ";" else { continue }
            let indent = line.utf8.prefix { $0 == 0x20 || $0 == 0x09 }.count
            if let section, let option, indent > depth {
                let begun = sections[section]?[option] ?? ""
                sections[section]?[option] = begun + "\n" + content
                continue
            }
            depth = indent
            if first == "[", let close = content.firstIndex(of: "]") {
                let name = String(content[content.index(after: content.startIndex)..<close].trimmed)
                if sections[name] == nil { sections[name] = [:] }
                (section, option) = (name, nil)
            } else if let section, let mark = content.utf8.firstIndex(where: { "=:".utf8.contains($0) }) {
                let name = String(content[..<mark].trimmed).lowercased()
                sections[section]?[name] = String(content[content.utf8.index(after: mark)...].trimmed)
                option = name
            }
        }
    }

    /// The names of the first eight profiles in these files, for a hint; nil if there are none.
    package static func profiles(in files: [AWSFile]) -> String? {
        var names: [String] = []
        for name in files.flatMap(\.sections.entries).map({ programWords($0.name)?.last ?? $0.name }) {
            if !names.contains(name) { names.append(name) }
        }
        return names.isEmpty ? nil : names.prefix(8).map { "'\($0.printable(limit: 64))'" }.joined(separator: ", ")
    }

    /// The values of a profile in a credentials file; nil if there is no such profile.
    package func credentials(of profile: String) -> NamedValues<String>? { sections[profile] }

    /// The values of a profile in a configuration file, whose sections are `[default]` and `[profile NAME]`; nil if
    /// there is none.
    package func profile(_ profile: String) -> NamedValues<String>? {
        let matching = sections.entries.filter { section in
            let words = programWords(section.name) ?? []
            return words.count == 2 && words[0] == "profile" && words[1] == profile
                || profile == "default" && section.name == "default"
        }
        guard var values = matching.first?.value else { return nil }
        for section in matching.dropFirst() { for (name, value) in section.value.entries { values[name] = value } }
        return values
    }
}
