import SnapshotBase
import SnapshotMedia

/// What ffmpeg gets for one output: a slave of its `tee` muxer.
package struct FFmpegSlave: Sendable {
    package enum Target: Equatable, Sendable {
        /// A file or an address. It must hold no secret: every user can read it.
        case address(String)
        /// The name of a file, or a pattern of such, in the slave's folder.
        case file(String)
        /// ffmpeg's standard output, which this process reads. One output only.
        case standardOutput
    }

    /// The muxer.
    package var format: String
    package var options: [(name: String, value: String)]
    /// Options that name files, or patterns of such, in the slave's folder.
    package var files: [(name: String, value: String)] = []
    package var target: Target
    /// What ffmpeg writes into; it gets it open, and knows no path.
    var folder: Folder?

    package init(_ format: String, _ options: [(name: String, value: String)] = [], to target: Target) {
        self.format = format
        self.options = options
        self.target = target
    }

    /// As it stands in ffmpeg's arguments.
    /// - Parameter descriptor: ffmpeg's, for the folder.
    func argument(folder descriptor: Int32) -> String {
        func below(_ name: String) -> String { "/proc/self/fd/\(descriptor)/\(name)" }
        let all = [("f", format), ("onfail", "ignore")] + options + files.map { ($0.name, below($0.value)) }
        let list = all.map { "\($0)=\(Self.escaped($1, ":]"))" }.joined(separator: ":")
        let place =
            switch target {
            case .address(let address): address
            case .file(let name): below(name)
            case .standardOutput: "pipe:1"
            }
        // What stands between the brackets is read once more, after the slaves were told apart.
        return Self.escaped("[\(list)]\(place)", "|")
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
