import SnapshotBase

/// Every setting there is. A new one is declared in one of the files beside this one, and listed there.
package enum Key {
    package static let all = camera + storage + s3 + s3Objects + http + state + relay

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
        let upper = name.uppercased()
        let ranked = all.map { (distance: editDistance(upper, $0.key), name: $0.key) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, best.name.utf8.count / 3) ? best.name : nil
    }
}

/// Levenshtein's distance in bytes.
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8.prefix(64))
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let substitution = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}
