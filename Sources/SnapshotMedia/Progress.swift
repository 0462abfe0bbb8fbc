/// Parses the output of `ffmpeg -progress`: one block of `key=value` lines a second, ended by a `progress=` line.
package struct Progress: Sendable {
    /// The position in one block: time in microseconds, size in bytes, number of frames; nil where ffmpeg doesn't know.
    package struct Figures: Equatable, Sendable {
        package var outTime: Int?
        package var totalSize: Int?
        package var frames: Int?

        package init(outTime: Int? = nil, totalSize: Int? = nil, frames: Int? = nil) {
            self.outTime = outTime
            self.totalSize = totalSize
            self.frames = frames
        }
    }

    /// Longer lines are skipped; ffmpeg writes none.
    private static let longestLine = 256

    private var line: [UInt8] = []
    private var isTooLong = false
    private var block = Figures()
    private var last = Figures()

    package init() {}

    /// The position of the output, in microseconds; nil where ffmpeg doesn't know.
    package var outTime: Int? { last.outTime }

    /// - Returns: whether the media advanced in any block that ends in `bytes`. Any change of a known figure counts,
    ///   since timestamps may also jump back.
    package mutating func read(_ bytes: some Sequence<UInt8>) -> Bool {
        var grew = false
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                if !isTooLong, let figures = endLine() { grew = advance(to: figures) || grew }
                line.removeAll(keepingCapacity: true)
                isTooLong = false
            } else if line.count < Self.longestLine {
                line.append(byte)
            } else {
                isTooLong = true
            }
        }
        return grew
    }

    private mutating func endLine() -> Figures? {
        guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        let value = String(decoding: line[(equals + 1)...], as: UTF8.self)[...].trimmed
        switch String(decoding: line[..<equals], as: UTF8.self) {
        case "out_time_us": block.outTime = Int(value)
        case "total_size": block.totalSize = Int(value)
        case "frame": block.frames = Int(value)
        case "progress":
            defer { block = Figures() }
            return block
        default: break
        }
        return nil
    }

    private mutating func advance(to figures: Figures) -> Bool {
        defer { last = figures }
        func changed(_ figure: KeyPath<Figures, Int?>) -> Bool {
            guard let value = figures[keyPath: figure] else { return false }
            return value != last[keyPath: figure] && value != 0
        }
        return changed(\.outTime) || changed(\.totalSize) || changed(\.frames)
    }
}
