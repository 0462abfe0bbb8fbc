import SnapshotBase

/// `text` for a header: as it is where it is printable ASCII, otherwise percent-encoded as in a path. A `%` is encoded
/// too, so that whoever decodes always gets `text` back.
package func headerText(_ text: String) -> String {
    text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x25 } ? text : percentEncoded(text, also: "/")
}
