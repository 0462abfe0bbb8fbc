import SnapshotBase

/// The last lines of a program's standard error, in bounded memory and without secrets.
struct StderrTail {
    private static let lines = 8
    private static let longestLine = 1024

    private let secrets: Secrets
    private var line: [UInt8] = []
    /// The lines as received. Secrets are removed only from lines that are shown, since a program may write many.
    private var kept: [[UInt8]] = []
    /// A line of our own in place of the program's.
    private var ours: [String] = []

    /// Applied to each line before secrets are removed.
    var translate: (String) -> String = { $0 }

    var last: [String] { ours + kept.map(shown) }

    init(secrets: Secrets = .ofThisRun) { self.secrets = secrets }

    /// A tail that consists of the failure's reason.
    init(of failure: Failure) {
        self.init()
        ours = [failure.why]
    }

    private func shown(_ line: [UInt8]) -> String {
        "\(ForeignText(translate(String(decoding: line, as: UTF8.self)), limit: 300, secrets: secrets))"
    }

    mutating func read(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                endLine()
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
    }

    /// Whether a line is worth keeping: not the expected effect of `codec_whitelist none`, and not a repetition count.
    private static func isWorthKeeping(_ line: [UInt8]) -> Bool {
        !line.suffix(23).elementsEqual("not on whitelist 'none'".utf8) && !line.starts(with: "    Last message".utf8)
    }

    mutating func endLine() {
        // A line that was cut may end within a secret, which then wouldn't be recognised: drop its last word.
        if line.count == Self.longestLine {
            line = line.lastIndex(of: UInt8(ascii: " ")).map { Array(line[..<$0]) } ?? []
        }
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty, line != kept.last, Self.isWorthKeeping(line) else { return }
        kept.append(line)
        if kept.count > Self.lines { kept.removeFirst() }
    }
}
