import FoundationEssentials
import SnapshotBase
import Synchronization

/// The source of pictures: the given files in turn, or ffmpeg's test pattern in any size.
final class Pictures: Sendable {
    private let files: [[UInt8]]
    private let frozen: Bool
    private let environment: Environment
    private let state = Mutex(State())

    private struct State {
        var shots = 0
        var streams: [(key: Key, stream: TestPattern)] = []
        var still: [Key: [UInt8]] = [:]
    }

    private struct Key: Hashable {
        let pattern: TestPattern.Kind
        let size: PictureSize
    }

    /// How many ffmpeg processes, one for each size and pattern, may run at once; another one ends the oldest.
    private static let mostStreams = 8

    init(files paths: [String], frozen: Bool, environment: Environment) throws {
        self.environment = environment
        files = try paths.map { path in
            do { return Array(try Data(contentsOf: URL(filePath: path))) } catch {
                throw StartupError("picture \(path)", "cannot be read")
            }
        }
        self.frozen = frozen
    }

    /// Starts the ffmpeg for this size before the first shot needs it.
    func prepare(_ size: PictureSize) throws {
        guard files.isEmpty else { return }
        let stream = try TestPattern(.clock, size: size, environment)
        state.withLock { $0.streams.append((Key(pattern: .clock, size: size), stream)) }
    }

    /// The next file or test picture; when frozen, the same one again. nil when ffmpeg makes none.
    func next(_ size: PictureSize, pattern: TestPattern.Kind = .clock, frozen stuck: Bool = false) -> [UInt8]? {
        state.withLock { state in
            let key = Key(pattern: pattern, size: size)
            if frozen || stuck {
                if let same = state.still[key] { return same }
            } else {
                state.still[key] = nil
            }
            let picture =
                files.isEmpty || pattern != .clock
                ? generated(key, &state) : files[state.shots % files.count]
            state.shots += 1
            if frozen || stuck { state.still[key] = picture }
            return picture
        }
    }

    private func generated(_ key: Key, _ state: inout State) -> [UInt8]? {
        if let found = state.streams.first(where: { $0.key == key }) { return found.stream.next() }
        guard let stream = try? TestPattern(key.pattern, size: key.size, environment) else { return nil }
        state.streams.append((key, stream))
        if state.streams.count > Self.mostStreams { state.streams.removeFirst() }
        return stream.next()
    }
}
