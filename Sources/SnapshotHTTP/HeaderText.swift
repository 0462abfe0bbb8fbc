import SnapshotBase

/// `text` for a header: unchanged if it is printable ASCII, otherwise percent-encoded as in a path. A `%` is always
/// encoded, so that decoding restores `text`.
package func headerText(_ text: String) -> String {
    text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x25 } ? text : percentEncoded(text, also: "/")
}
