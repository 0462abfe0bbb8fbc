import SnapshotBase

/// The last lines of what a program says on standard error, without secrets: all that is kept, however much it says.
struct Complaints {
    private static let lines = 8
    private static let longestLine = 1024

    private let secrets: [String]
    private var line: [UInt8] = []
    private(set) var last: [String] = []

    init(secrets: [String]) { self.secrets = secrets }

    mutating func read(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                endLine()
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
    }

    mutating func endLine() {
        // A line that was cut may end within a secret, which nothing would recognize any more.
        if line.count == Self.longestLine {
            line = line.lastIndex(of: UInt8(ascii: " ")).map { Array(line[..<$0]) } ?? []
        }
        let text = redact(String(decoding: line, as: UTF8.self), secrets).printable(limit: 300)
        line.removeAll(keepingCapacity: true)
        guard !text.isEmpty, text != last.last else { return }
        last.append(text)
        if last.count > Self.lines { last.removeFirst() }
    }
}
