import SnapshotBase

/// The text of the first `<tag>` in `xml`; empty where there is none, or its end isn't within `limit` characters.
package func xmlText(of tag: String, in xml: Substring, limit: Int = 512) -> String {
    guard let open = xml.range(of: "<\(tag)>") else { return "" }
    let rest = xml[open.upperBound...].prefix(limit)
    guard let close = rest.range(of: "</\(tag)>") else { return "" }
    let entities = [
        ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&"),
    ]
    return entities.reduce(String(rest[..<close.lowerBound])) { $0.replacing($1.0, with: $1.1) }
        .trimmingPrefix { $0.isWhitespace }.description
}
