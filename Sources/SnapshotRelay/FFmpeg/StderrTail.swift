import SnapshotBase

/// The last lines of what a program says on standard error, without secrets: all that is kept, however much it says.
struct StderrTail {
    private static let lines = 8
    private static let longestLine = 1024

    private let secrets: Secrets
    private var line: [UInt8] = []
    /// As they were said: a program may say a great deal, and only what is told is worth a closer look.
    private var kept: [[UInt8]] = []
    private var ours: [String] = []

    /// How it is told to others; applied before secrets are left out.
    var translate: (String) -> String = { $0 }

    var last: [String] { ours + kept.map(told) }

    init(secrets: Secrets = .ofThisRun) { self.secrets = secrets }

    /// Words of our own.
    init(of failure: Failure) {
        self.init()
        ours = [failure.why]
    }

    private func told(_ line: [UInt8]) -> String {
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

    /// That nothing is decoded where no limit would hold is as it should be, and how often something was said no news.
    private static func isNews(_ line: [UInt8]) -> Bool {
        !line.suffix(23).elementsEqual("not on whitelist 'none'".utf8) && !line.starts(with: "    Last message".utf8)
    }

    mutating func endLine() {
        // A line that was cut may end within a secret, which nothing would recognize any more.
        if line.count == Self.longestLine {
            line = line.lastIndex(of: UInt8(ascii: " ")).map { Array(line[..<$0]) } ?? []
        }
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty, line != kept.last, Self.isNews(line) else { return }
        kept.append(line)
        if kept.count > Self.lines { kept.removeFirst() }
    }
}
