import SnapshotBase

/// All settings. A new one is declared in one of the `Key+….swift` files, and added to the list there.
package enum Key {
    package static let all = camera + storage + s3 + credentials + s3Objects + http + state + relay

    /// The setting with exactly that name; nil if there is none.
    package static func declaration(of name: String) -> SettingDeclaration? {
        for index in all.indices where all[index].key == name { return all[index] }
        return nil
    }

    /// The setting with that name, in upper or lower case.
    /// - Throws: `Failure` with the code `usage`, with the most similar name as a hint.
    package static func named(_ name: String) throws(Failure) -> SettingDeclaration {
        if let found = declaration(of: name.uppercased()) { return found }
        throw Failure(
            .own(.usage), "unknown setting", name.printable(limit: 64), why: "there is none of that name",
            hint: nearest(to: name).map { "did you mean \($0)?" } ?? "snapshot settings   # shows all")
    }

    /// Whether `name` is the name of a setting, or that of one with the suffix `_FILE`.
    static func isKnown(_ name: String) -> Bool {
        if declaration(of: name) != nil { return true }
        guard name.hasSuffix("_FILE") else { return false }
        return declaration(of: String(name.dropLast(5)))?.mayComeFromFile ?? false
    }

    /// The known name that `name` is probably a misspelling of; nil if none is similar enough.
    package static func nearest(to name: String) -> String? {
        SnapshotSettings.nearest(to: name.uppercased(), among: all.map(\.key))
    }
}
