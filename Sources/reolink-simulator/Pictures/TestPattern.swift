import Glibc

/// An ffmpeg that draws one JPEG after the other into a pipe. It draws only as fast as the pipe is read, so it
/// rests between shots, and it ends by itself when the simulator is gone, however that happened.
final class TestPattern: @unchecked Sendable {
    // Unchecked: `Pictures` uses it under its lock only.
    enum Kind: Hashable { case clock, black }

    private let kind: Kind
    private let size: PictureSize
    private var child: Child
    private var buffer: [UInt8] = []
    private var lastShot = ContinuousClock.now
    private var drawsText = true
    private var hasDrawn = false

    init(_ kind: Kind, size: PictureSize) throws {
        self.kind = kind
        self.size = size
        child = try Child(Self.command(kind, size, text: true))
    }

    /// The next frame; nil when ffmpeg has ended.
    func next() -> [UInt8]? {
        // One frame always waits in the pipe, drawn right after the shot before: when that is a while ago its
        // clock is wrong, and the one behind it is right.
        if hasDrawn, ContinuousClock.now - lastShot > .milliseconds(500), frame() == nil { return nil }
        var picture = frame()
        if picture == nil, !hasDrawn, drawsText, let plain = try? Child(Self.command(kind, size, text: false)) {
            // An ffmpeg without freetype or fonts: the pattern has a counter of its own.
            drawsText = false
            child = plain
            buffer = []
            picture = frame()
        }
        hasDrawn = hasDrawn || picture != nil
        lastShot = .now
        return picture
    }

    private func frame() -> [UInt8]? {
        var searched = 0
        while true {
            // In a JPEG's data FF is followed by 00 or a restart marker: the first FF D9 ends the picture.
            let from = max(0, searched - 1)
            if let end = buffer[from...].firstRange(of: [0xff, 0xd9]) {
                let picture = Array(buffer[..<end.upperBound])
                buffer.removeSubrange(..<end.upperBound)
                return picture
            }
            searched = buffer.count
            guard child.read(into: &buffer) else { return nil }
        }
    }

    private static func command(_ kind: Kind, _ size: PictureSize, text: Bool) -> [String] {
        let pixels = "size=\(size.width)x\(size.height):rate=25"
        var graph =
            switch kind {
            case .clock: "testsrc2=\(pixels)"
            case .black: "color=color=black:\(pixels)"
            }
        if text, kind == .clock {
            let height = max(12, size.height / 14)
            graph += ",drawtext=text='%{localtime}':fontsize=\(height):x=w-tw-\(height):y=\(height)"
            graph += ":fontcolor=white:box=1:boxcolor=black:boxborderw=6"
        }
        return [
            "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", text ? "fatal" : "error",
            "-f", "lavfi", "-i", graph, "-threads", "1", "-c:v", "mjpeg", "-q:v", "4", "-flush_packets", "1",
            "-f", "image2pipe", "-",
        ]
    }
}

/// A child process and its standard output. SnapshotBase's ends with the thread that started it: here that is the thread
/// of a connection, and the child lasts longer.
private final class Child {
    private let pid: pid_t
    private let output: Int32
    /// Linux's F_SETPIPE_SZ, which Glibc's module hides.
    private static let setPipeSize: Int32 = 1031

    init(_ arguments: [String]) throws {
        (pid, output) = try inheritance.withLock { _ in try Self.start(arguments) }
        // The smallest pipe: what waits in it has an old clock.
        _ = fcntl(output, Self.setPipeSize, 4096)
    }

    private static func start(_ arguments: [String]) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Trouble("pipe", String(cString: strerror(errno))) }
        ends.forEach(closeOnExec)
        defer { close(ends[1]) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        // It shall die of the broken pipe in silence, where this process ignores that signal.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        var pid = pid_t()
        let failure = posix_spawnp(&pid, arguments[0], &actions, &attributes, words, environ)
        guard failure == 0 else {
            close(ends[0])
            throw Trouble(
                arguments[0], String(cString: strerror(failure)),
                hint: "install it (apt install ffmpeg), or give pictures with --picture")
        }
        return (pid, ends[0])
    }

    deinit {
        close(output)
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    func read(into buffer: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(output, &chunk, chunk.count)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }
}
