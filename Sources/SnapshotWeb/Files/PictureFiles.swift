import Glibc
import SnapshotBase

/// What the camera saw, in the files that capture and relay leave: the latest picture, the live stream, recordings.
struct PictureFiles {
    /// One finished or growing recording.
    struct Recording {
        let names: [String]
        let size: Int
        let modified: Timestamp
    }

    let runtimeDirectories: [String]
    let outputDirectory: String
    let statePath: String

    static let playlist = "stream.m3u8"
    private static let streamTypes = [
        "m3u8": "application/vnd.apple.mpegurl", "ts": "video/mp2t", "m4s": "video/iso.segment",
        "mp4": "video/mp4",
    ]
    private static let recordingTypes = ["mp4": "video/mp4", "mkv": "video/x-matroska", "ts": "video/mp2t"]
    /// So many recordings are listed, the newest first; so many names are looked at for them.
    static let listed = 500
    private static let examined = 20_000

    /// - Parameter camera: an instance's name, or nil for the camera without one.
    func latest(camera: String?, _ request: Request) -> Response {
        latest(camera: camera).map { Response($0, type: "image/jpeg", request: request) }.response
    }

    func latest(camera: String?) -> Found<OpenFile> {
        let names = (camera.map { [$0] } ?? []) + ["latest.jpg"]
        return runtimeDirectories.lazy.map { OpenFile.find(below: $0, names) }.first(where: \.isThere) ?? .missing
    }

    /// The instances whose relay has its folder where their unit puts it.
    var instances: [String] {
        let names = (try? listDirectory(statePath)) ?? []
        return names.filter { name in output(of: name).map(fileExists) ?? false }.sorted()
    }

    /// Where the relay of an instance, or of the camera without a name, writes; nil for what is no name of one.
    private func output(of camera: String?) -> String? {
        guard let camera else { return outputDirectory }
        let isName = !camera.isEmpty && !camera.hasPrefix(".") && !camera.contains("/")
        return isName ? "\(statePath)/\(camera)/stream_output" : nil
    }

    func stream(of camera: String?, _ names: [String], _ request: Request) -> Response {
        output(of: camera).map { serve(names, in: $0 + "/hls", Self.streamTypes, request).response } ?? .notFound
    }

    /// The stream's list of segments, and when it was last written.
    func playlist(of camera: String?) -> Found<Timestamp> {
        output(of: camera).map { OpenFile.find(below: $0 + "/hls", [Self.playlist]).map(\.modified) } ?? .missing
    }

    /// A recording by the names that `recordings` gives.
    func recording(_ names: [String], _ request: Request) -> Response {
        let own = serve(names, in: outputDirectory + "/record", Self.recordingTypes, request)
        if case .file(let response) = own { return response }
        guard names.count > 1, let output = output(of: names[0]) else { return own.response }
        return serve(Array(names.dropFirst()), in: output + "/record", Self.recordingTypes, request).response
    }

    private func serve(
        _ names: [String], in folder: String, _ types: [String: String], _ request: Request
    ) -> Found<Response> {
        guard let type = names.last.flatMap({ types[fileExtension($0)] }) else { return .missing }
        return OpenFile.find(below: folder, names).map { Response($0, type: type, request: request) }
    }

    /// The newest recordings of all cameras, newest first, also from folders in their folders. Those of an instance begin
    /// with its name.
    func recordings() -> (list: [Recording], areUnreadable: Bool) {
        var areUnreadable = false
        var found: [Recording] = []
        var folders = ([nil] + instances).compactMap { camera in
            output(of: camera).map { (path: $0 + "/record", names: camera.map { [$0] } ?? [], depth: 1) }
        }
        var examined = 0
        while let folder = folders.popLast() {
            var names: [String] = []
            do throws(SystemError) { names = try listDirectory(folder.path) } catch {
                if error.number == EACCES { areUnreadable = true }
            }
            for name in names
            where !name.hasPrefix(".") && examined < Self.examined {
                examined += 1
                var facts = stat()
                let path = folder.path + "/" + name
                guard lstat(path, &facts) == 0 else { continue }
                let names = folder.names + [name]
                if facts.st_mode & S_IFMT == S_IFDIR, folder.depth < 4 {
                    folders.append((path, names, folder.depth + 1))
                }
                guard facts.st_mode & S_IFMT == S_IFREG, Self.recordingTypes[fileExtension(name)] != nil
                else { continue }
                let modified = Timestamp(seconds: facts.st_mtim.tv_sec)
                found.append(Recording(names: names, size: Int(facts.st_size), modified: modified))
            }
        }
        found.sort { ($0.modified, $0.names.last ?? "") > ($1.modified, $1.names.last ?? "") }
        return (Array(found.prefix(Self.listed)), areUnreadable)
    }
}

extension Found<Response> {
    var response: Response {
        switch self {
        case .file(let response): response
        case .missing: .notFound
        case .unreadable: .unreadable
        }
    }
}

private func fileExtension(_ name: String) -> String {
    name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? ""
}
