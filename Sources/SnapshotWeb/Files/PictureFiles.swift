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
    func latest(camera: String?, _ request: Request) -> Response? {
        latest(camera: camera).map { Response($0, type: "image/jpeg", request: request) }
    }

    func latest(camera: String?) -> OpenFile? {
        let names = (camera.map { [$0] } ?? []) + ["latest.jpg"]
        return runtimeDirectories.lazy.compactMap { OpenFile(below: $0, names) }.first
    }

    func stream(_ names: [String], _ request: Request) -> Response? {
        serve(names, in: outputDirectory + "/hls", Self.streamTypes, request)
    }

    /// When the stream's list of segments was last written; nil where there is none.
    var streamUpdated: Timestamp? { OpenFile(below: outputDirectory + "/hls", [Self.playlist])?.modified }

    func recording(_ names: [String], _ request: Request) -> Response? {
        serve(names, in: outputDirectory + "/record", Self.recordingTypes, request)
    }

    private func serve(
        _ names: [String], in folder: String, _ types: [String: String], _ request: Request
    ) -> Response? {
        guard let type = names.last.flatMap({ types[fileExtension($0)] }),
            let file = OpenFile(below: folder, names)
        else {
            return nil
        }
        return Response(file, type: type, request: request)
    }

    /// The newest recordings, newest first, also from folders in the folder.
    func recordings() -> [Recording] {
        var found: [Recording] = []
        var folders: [[String]] = [[]]
        var examined = 0
        while let folder = folders.popLast() {
            let path = ([outputDirectory + "/record"] + folder).joined(separator: "/")
            for name in (try? listDirectory(path)) ?? []
            where !name.hasPrefix(".") && examined < Self.examined {
                examined += 1
                var facts = stat()
                guard lstat(path + "/" + name, &facts) == 0 else { continue }
                let names = folder + [name]
                if facts.st_mode & S_IFMT == S_IFDIR, names.count < 4 { folders.append(names) }
                guard facts.st_mode & S_IFMT == S_IFREG, Self.recordingTypes[fileExtension(name)] != nil
                else { continue }
                let modified = Timestamp(milliseconds: Int64(facts.st_mtim.tv_sec) * 1000)
                found.append(Recording(names: names, size: Int(facts.st_size), modified: modified))
            }
        }
        found.sort { ($0.modified, $0.names.last ?? "") > ($1.modified, $1.names.last ?? "") }
        return Array(found.prefix(Self.listed))
    }
}

private func fileExtension(_ name: String) -> String {
    name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? ""
}
