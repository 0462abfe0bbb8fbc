/// A number of bytes as people say it: `512 KiB`, `1.2 GiB`.
package func sizeText(_ bytes: Int) -> String {
    var tenths = max(0, bytes) * 10 / 1024
    for unit in ["KiB", "MiB", "GiB"] {
        if tenths < 100 { return "\(tenths / 10).\(tenths % 10) \(unit)" }
        if tenths < 10240 { return "\(tenths / 10) \(unit)" }
        tenths /= 1024
    }
    return "\(tenths / 10) TiB"
}
