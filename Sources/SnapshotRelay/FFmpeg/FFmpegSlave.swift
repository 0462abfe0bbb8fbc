import SnapshotBase
import SnapshotMedia

/// What ffmpeg gets for one output: a slave of its `tee` muxer.
package struct FFmpegSlave: Sendable {
    package enum Target: Equatable, Sendable {
        /// A file, a pattern or an address. It must hold no secret: every user can read it.
        case address(String)
        /// ffmpeg's standard output, which this process reads. One output only.
        case standardOutput
    }

    /// The muxer.
    package var format: String
    package var options: [(name: String, value: String)]
    package var target: Target

    package init(_ format: String, _ options: [(name: String, value: String)] = [], to target: Target) {
        self.format = format
        self.options = options
        self.target = target
    }

    /// As it stands in ffmpeg's arguments.
    var argument: String {
        let all = [("f", format), ("onfail", "ignore")] + options
        let list = all.map { "\($0)=\(Self.escaped($1, ":]"))" }.joined(separator: ":")
        let place =
            switch target {
            case .address(let address): address
            case .standardOutput: "pipe:1"
            }
        // What stands between the brackets is read once more, after the slaves were told apart.
        return Self.escaped("[\(list)]\(place)", "|")
    }

    /// A pattern of names in a folder, whose own name is no pattern.
    static func pattern(_ pattern: String, in directory: String) -> String {
        directory[...].cut(at: "%").joined(separator: "%%") + "/" + pattern
    }

    /// ffmpeg's escaping: a backslash before each special character, the backslash and the quote among them.
    private static func escaped(_ text: String, _ special: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if special.unicodeScalars.contains(scalar) || scalar == "\\" || scalar == "'" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

extension StreamFacts {
    /// Browsers play HEVC from fragmented MP4 only.
    var isHEVC: Bool { video == "hevc" }
}

extension Duration {
    /// Decimal seconds, as ffmpeg reads them.
    var secondsText: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(milliseconds)ms" }
}
