import SnapshotBase

/// Every setting there is. A new one is declared in one of the files beside this one, and listed there.
package enum Key {
    package static let all = camera + storage + s3 + credentials + s3Objects + http + state + relay

    package static func declaration(of name: String) -> SettingDeclaration? {
        for index in all.indices where all[index].key == name { return all[index] }
        return nil
    }

    /// The setting of that name.
    /// - Throws: `Failure` of kind usage, with the nearest name as a hint.
    package static func named(_ name: String) throws(Failure) -> SettingDeclaration {
        if let found = declaration(of: name.uppercased()) { return found }
        throw Failure(
            .own(.usage), "unknown setting", name.printable(limit: 64), why: "there is none of that name",
            hint: nearest(to: name).map { "did you mean \($0)?" } ?? "snapshot settings   # shows all")
    }

    /// Whether `name` is a setting or a setting's `_FILE`.
    static func isKnown(_ name: String) -> Bool {
        if declaration(of: name) != nil { return true }
        guard name.hasSuffix("_FILE") else { return false }
        return declaration(of: String(name.dropLast(5)))?.mayComeFromFile ?? false
    }

    /// The known name that `name` most likely was meant to be, if any is near.
    static func nearest(to name: String) -> String? {
        SnapshotBase.nearest(to: name.uppercased(), among: all.map(\.key))
    }
}
