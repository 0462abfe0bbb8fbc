import Glibc
import SnapshotBase

/// The files that capture and relay write: the latest picture, the live stream and the recordings.
struct PictureFiles {
    /// A recording as the list shows it.
    struct Recording {
        let names: [String]
        let begin: Timestamp
        let size: Int
        /// The playing time; nil where the file doesn't give it.
        let seconds: Double?
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

    /// - Parameter camera: the instance's name; nil for the camera without an instance name.
    func latest(camera: String?, _ request: Request) -> Response {
        latest(camera: camera).map { Response($0, type: "image/jpeg", request: request) }.response
    }

    func latest(camera: String?) -> Found<OpenFile> {
        let names = (camera.map { [$0] } ?? []) + ["latest.jpg"]
        return runtimeDirectories.lazy.map { OpenFile.find(below: $0, names) }.first(where: \.mayExist) ?? .missing
    }

    /// The instances in whose state directory a relay has created `stream_output`.
    var instances: [String] {
        let names = (try? listDirectory(statePath)) ?? []
        return names.filter { name in output(of: name).map(fileExists) ?? false }.sorted()
    }

    /// The relay's folder for an instance, or for the camera that has none; nil where `camera` can't be an instance's
    /// name.
    private func output(of camera: String?) -> String? {
        guard let camera else { return outputDirectory }
        let isName = !camera.isEmpty && !camera.hasPrefix(".") && Target.isServed(camera)
        return isName ? "\(statePath)/\(camera)/stream_output" : nil
    }

    func stream(of camera: String?, _ names: [String], _ request: Request) -> Response {
        output(of: camera).map { serve(names, in: $0 + "/hls", Self.streamTypes, request).response } ?? .notFound
    }

    /// When the stream's playlist was last written.
    func playlist(of camera: String?) -> Found<Timestamp> {
        output(of: camera).map { OpenFile.find(below: $0 + "/hls", [Self.playlist]).map(\.modified) } ?? .missing
    }

    /// The response with a recording; `names` are its path components, as `recordings` lists them.
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

    /// The recordings of all cameras. The path of an instance's recording begins with the instance's name.
    var recordings: RecordingIndex {
        let roots = ([nil] + instances).compactMap { camera in
            output(of: camera).map { (path: $0 + "/record", names: camera.map { [$0] } ?? []) }
        }
        return RecordingIndex(roots) { Self.recordingTypes[fileExtension($0)] != nil }
    }

    /// The facts of one recording, which are read from its file.
    func describe(_ names: [String], begin: Timestamp) -> Found<Recording> {
        var found = OpenFile.find(below: outputDirectory + "/record", names)
        if case .missing = found, names.count > 1, let output = output(of: names[0]) {
            found = OpenFile.find(below: output + "/record", Array(names.dropFirst()))
        }
        return found.map { file in
            let isMP4 = names.last?.hasSuffix(".mp4") == true
            return Recording(
                names: names, begin: begin, size: file.size,
                seconds: isMP4 ? MovieLength(file.handle, size: file.size).seconds : nil)
        }
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
