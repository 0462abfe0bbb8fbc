import Glibc
import SnapshotBase

/// Asks the user on the terminal. Input is bounded, and secrets aren't echoed.
package struct Terminal: Sendable {
    /// Whether questions are asked; otherwise present values are kept.
    package let asks: Bool
    /// Whether progress is printed.
    package let prints: Bool
    let colour: Bool

    package init(asks: Bool, prints: Bool, colour: Bool) {
        (self.asks, self.prints, self.colour) = (asks, prints, colour)
    }

    /// A terminal cuts longer lines off without a word.
    private static let longest = 4094

    func say(_ text: TerminalText) {
        if prints { writeText(to: 1, text) }
    }

    /// Asks for a line; an empty one means `answer`.
    /// - Throws: `SetupEnd.quit` at the end of input.
    func ask(_ question: TerminalText, default answer: String) throws(SetupEnd) -> String {
        while true {
            say(answer.isEmpty ? "\(question): " : "\(question) [\(answer)]: ")
            if let line = try readLine() { return line.isEmpty ? answer : line }
        }
    }

    func confirm(_ question: TerminalText, default answer: Bool) throws(SetupEnd) -> Bool {
        while true {
            say("\(question) [\(answer ? "Y/n" : "y/N")]: ")
            switch try readLine()?.lowercased() {
            case "": return answer
            case "y", "yes": return true
            case "n", "no": return false
            default: say("y or n\n")
            }
        }
    }

    /// Asks for a line without echo. Signals that end or stop the program are held until the echo is restored.
    func askSecret(_ question: TerminalText) throws(SetupEnd) -> String {
        while true {
            say("\(question): ")
            guard let echo = Echo() else {
                if let line = try readLine() { return line }
                continue
            }
            while !echo.isInterrupted, !Self.hasInput(within: 200) {}
            if echo.isInterrupted {
                echo.restore()
                throw .quit
            }
            let line = Result { () throws(SetupEnd) in try readLine() }
            echo.restore()
            if let line = try line.get() { return line }
        }
    }

    private static func hasInput(within milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0
    }

    /// The next line without its line end; nil for one that is no text or too long.
    private func readLine() throws(SetupEnd) -> String? {
        var bytes: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            let got = retrying { read(0, &byte, 1) }
            if got <= 0 {
                say("\n")
                throw .quit
            }
            if byte == UInt8(ascii: "\n") { break }
            if bytes.count <= Self.longest { bytes.append(byte) }
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count <= Self.longest else { return refuse("is longer than \(Self.longest) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { return refuse("isn't UTF-8 text") }
        if let control = text.unicodeScalars.first(where: { $0.isControl }) {
            return refuse("contains a control character, \("\(control)".printable(limit: 10))")
        }
        return text
    }

    private func refuse(_ why: String) -> String? {
        say("✗ the answer \(why); type it again\n")
        return nil
    }
}

/// Switches the terminal's echo off until `restore`.
private final class Echo {
    private var before = termios()
    private var mask = sigset_t()
    private var isOff = true
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM]

    /// nil where standard input is no terminal.
    init?() {
        guard tcgetattr(0, &before) == 0 else { return nil }
        var held = sigset_t()
        sigemptyset(&held)
        for signal in Self.signals { sigaddset(&held, signal) }
        pthread_sigmask(SIG_BLOCK, &held, &mask)
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ECHOE | ECHOK)
        silent.c_lflag |= tcflag_t(ECHONL)
        tcsetattr(0, TCSAFLUSH, &silent)
    }

    var isInterrupted: Bool {
        var waiting = sigset_t()
        return sigpending(&waiting) == 0 && Self.signals.contains { sigismember(&waiting, $0) == 1 }
    }

    /// Restores the echo and lets held signals through.
    func restore() {
        guard isOff else { return }
        isOff = false
        tcsetattr(0, TCSANOW, &before)
        pthread_sigmask(SIG_SETMASK, &mask, nil)
    }

    deinit { restore() }
}
