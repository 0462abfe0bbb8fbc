import SnapshotBase
import SnapshotMedia

/// One slave of ffmpeg's `tee` muxer, which writes one output.
package struct FFmpegSlave: Sendable {
    /// Where the slave writes.
    package enum Target: Equatable, Sendable {
        /// A path or a URL. It must hold no secret, since every user can read ffmpeg's arguments.
        case address(String)
        /// A file name, or a pattern of file names, in the slave's folder.
        case file(String)
        /// ffmpeg's standard output, which this process reads. At most one output may use it.
        case standardOutput
    }

    /// The name of the muxer.
    package var format: String
    package var options: [(name: String, value: String)]
    /// Options whose value is a file name, or a pattern of file names, in the slave's folder.
    package var files: [(name: String, value: String)] = []
    package var target: Target
    /// The folder that ffmpeg writes into. ffmpeg inherits its open descriptor, so that no path can be replaced.
    var folder: Folder?

    package init(_ format: String, _ options: [(name: String, value: String)] = [], to target: Target) {
        self.format = format
        self.options = options
        self.target = target
    }

    /// The slave in the syntax of ffmpeg's arguments.
    /// - Parameter descriptor: the folder's descriptor in ffmpeg.
    func argument(folder descriptor: Int32) -> String {
        func below(_ name: String) -> String { "/proc/self/fd/\(descriptor)/\(name)" }
        let all = [("f", format), ("onfail", "ignore")] + options + files.map { ($0.name, below($0.value)) }
        let list = all.map { "\($0)=\(Self.escaped($1, ":]"))" }.joined(separator: ":")
        let destination =
            switch target {
            case .address(let address): address
            case .file(let name): below(name)
            case .standardOutput: "pipe:1"
            }
        // ffmpeg unescapes twice: first when it splits the slaves at "|", then when it parses the options in brackets.
        return Self.escaped("[\(list)]\(destination)", "|")
    }

    /// ffmpeg's escaping: a backslash before each special character, and before backslashes and single quotes.
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
    /// Whether the video is HEVC, which browsers play only from fragmented MP4.
    var isHEVC: Bool { video == "hevc" }
}

extension Duration {
    /// The duration in ffmpeg's syntax: whole seconds, or milliseconds with the suffix `ms`.
    var secondsText: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(milliseconds)ms" }
}
