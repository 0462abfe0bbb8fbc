/// An RTSP camera as ffmpeg gets it: in an ffconcat list that it reads from a pipe, since its arguments are for
/// everybody to see and the address holds the password.
package struct RTSPSource: Equatable, Sendable {
    /// The address, with user and password, percent-encoded.
    package let url: String
    /// How long ffmpeg may wait for the camera; it waits twice as long (ffmpeg 5.1).
    package var timeout: Duration = .seconds(10)

    /// The descriptor on which ffmpeg gets the list.
    package static let descriptor: Int32 = 3

    /// - Parameters:
    ///   - url: `rtsp://…` or `rtsps://…`; a user and password in it come before those given.
    package init(url: String, user: String?, password: String?) {
        guard let scheme = url[...].range(of: "://") else {
            self.url = url
            return
        }
        let rest = url[scheme.upperBound...]
        let end = rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        let (login, host) = rest[..<end].cutAtLast("@") ?? (nil, rest[..<end])
        var credentials = ""
        if let login {
            credentials = encoded(login, keeping: "!$&'()*+,;=:%") + "@"
        } else if let user {
            credentials = encoded(user[...]) + ":" + encoded((password ?? "")[...]) + "@"
        }
        self.url = url[..<scheme.upperBound] + credentials + host + rest[end...]
    }

    package var list: [UInt8] {
        let quoted = url[...].cut(at: "'").joined(separator: "'\\''")
        // Measuring the frame rate first would take a second or more, and nothing here needs it.
        let options = ["rtsp_transport tcp", "timeout \(timeout.nanoseconds / 1000)", "fpsprobesize 0"]
        let lines = ["ffconcat version 1.0", "file '\(quoted)'"] + options.map { "option \($0)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// The arguments by which ffmpeg and ffprobe read the list.
    package static let input = [
        "-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,rtsp,rtsps,rtp,srtp,crypto,tls,tcp,udp",
        "-i", "pipe:\(descriptor)",
    ]

    /// One key frame as JPEG on standard output.
    package var stillCommand: Command {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        let picture = ["-map", "0:v:0", "-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "pipe:1"]
        var command = Command("ffmpeg", quiet + ["-skip_frame", "nokey"] + Self.input + picture)
        command.inputs = [Self.descriptor: list]
        return command
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 and those to be kept.
private func encoded(_ text: Substring, keeping kept: String = "") -> String {
    let digits = Array("0123456789ABCDEF")
    var result = ""
    for byte in text.utf8 {
        let character = Character(Unicode.Scalar(byte))
        if character.isASCII,
            character.isLetter || character.isNumber || "-._~".contains(character)
                || kept.contains(character)
        {
            result.append(character)
        } else {
            result += ["%", digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return result
}
