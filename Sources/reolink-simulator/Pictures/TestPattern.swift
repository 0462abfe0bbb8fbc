import Glibc
import SnapshotBase
import SnapshotProcesses

/// An ffmpeg process that writes one JPEG after the other into a pipe. It draws only as fast as the pipe is read, so it
/// pauses between shots, and it ends by itself when the simulator has ended, even by a kill.
final class TestPattern: @unchecked Sendable {
    // Unchecked: `Pictures` uses it under its lock only.
    enum Kind: Hashable { case clock, black }

    private let kind: Kind
    private let size: PictureSize
    private let environment: Environment
    private var child: Child
    private var buffer: [UInt8] = []
    private var lastShot = ContinuousClock.now
    private var drawsText = true
    private var hasDrawn = false

    init(_ kind: Kind, size: PictureSize, _ environment: Environment) throws {
        self.kind = kind
        self.size = size
        self.environment = environment
        child = try Self.start(kind, size, text: true, environment)
    }

    /// The next frame; nil when ffmpeg has ended.
    func next() -> [UInt8]? {
        // One frame always waits in the pipe, drawn right after the last shot. If that was a while ago, the time in
        // that frame is old, so it is skipped.
        if hasDrawn, ContinuousClock.now - lastShot > .milliseconds(500), frame() == nil { return nil }
        var picture = frame()
        if picture == nil, !hasDrawn, drawsText, let plain = try? Self.start(kind, size, text: false, environment) {
            // This ffmpeg lacks freetype or fonts, so it starts again without text; the pattern has a counter, too.
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
            guard read() else { return nil }
        }
    }

    /// Waits for more of ffmpeg's output; false when there is no more.
    private func read() -> Bool {
        guard let output = child.outputs[1] else { return false }
        var ready = [pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0)]
        retrying { poll(&ready, 1, -1) }
        let before = buffer.count
        child.readOutput(1) { buffer += $0 }
        return buffer.count > before
    }

    private static func start(
        _ kind: Kind, _ size: PictureSize, text: Bool, _ environment: Environment
    ) throws(StartupError) -> Child {
        var command = Command("ffmpeg", arguments(kind, size, text: text), environment: environment)
        command.outputs = [1]
        // ffmpeg draws for all connections, so it must not end with this thread, which serves one.
        command.isKilledWithThread = false
        do throws(Failure) {
            let child = try Child(command)
            // The smallest pipe there is, since frames that wait in it show an old time.
            if let output = child.outputs[1] { _ = fcntl(output.descriptor, setPipeSize, 4096) }
            return child
        } catch {
            throw StartupError(
                "ffmpeg", error.why, hint: "install it (apt install ffmpeg), or give pictures with --picture")
        }
    }

    /// Linux's F_SETPIPE_SZ, which Glibc's module hides.
    private static let setPipeSize: Int32 = 1031

    private static func arguments(_ kind: Kind, _ size: PictureSize, text: Bool) -> [String] {
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
            "-hide_banner", "-nostdin", "-nostats", "-loglevel", text ? "fatal" : "error",
            "-f", "lavfi", "-i", graph, "-threads", "1", "-c:v", "mjpeg", "-q:v", "4", "-flush_packets", "1",
            "-f", "image2pipe", "-",
        ]
    }
}
