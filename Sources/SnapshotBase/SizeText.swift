/// A size for people: `980 bytes`, `512 KB`, `1.2 GB`; in units of 1,024, as in the settings.
package func sizeText(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return counted(max(0, bytes), "byte") }
    var tenths = max(0, bytes).times(10) / 1024
    for unit in ["KB", "MB", "GB"] {
        if tenths < 100 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
        if tenths < 10240 { return "\(tenths / 10) \(unit)" }
        tenths /= 1024
    }
    return "\(tenths / 10) TB"
}
