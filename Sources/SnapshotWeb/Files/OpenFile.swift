import Glibc
import NIOCore
import SnapshotBase

/// The result of a search for a file.
enum Found<File> {
    case file(File)
    case missing
    /// This process has no permission to read the file, or to find out whether it exists.
    case unreadable

    var mayExist: Bool { if case .missing = self { false } else { true } }

    func map<Other>(_ transform: (File) -> Other) -> Found<Other> {
        switch self {
        case .file(let file): .file(transform(file))
        case .missing: .missing
        case .unreadable: .unreadable
        }
    }
}

/// An open regular file, with its size and modification time when it was opened.
struct OpenFile {
    let handle: FileHandle
    let size: Int
    let modified: Timestamp
    /// The strong entity tag (ETag), quotes included. It changes whenever the file's content does.
    let tag: String

    /// Opens the file whose path components below `folder` are `names`. It opens one component at a time and follows no
    /// symbolic link, so nothing outside `folder` is reached. Hidden names count as missing: they are unfinished files.
    static func find(below folder: String, _ names: [String]) -> Found<OpenFile> {
        guard !names.isEmpty, names.count <= 4,
            names.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") })
        else { return .missing }
        do throws(SystemError) {
            var handle = try FileHandle(opening: folder, O_RDONLY | O_DIRECTORY)
            for (index, name) in names.enumerated() {
                let kind = index == names.count - 1 ? O_NONBLOCK : O_DIRECTORY
                let next = retrying { openat(handle.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind) }
                guard next >= 0 else { throw SystemError("openat") }
                handle = FileHandle(owning: next)
            }
            let facts = try handle.status()
            return facts.st_mode & S_IFMT == S_IFREG ? .file(OpenFile(handle, facts)) : .missing
        } catch {
            return error.number == EACCES ? .unreadable : .missing
        }
    }

    private init(_ handle: FileHandle, _ facts: stat) {
        self.handle = handle
        size = Int(facts.st_size)
        let time = facts.st_mtim
        modified = Timestamp(time)
        tag = "\"\(String(facts.st_ino, radix: 36))-\(String(size, radix: 36))-\(time.tv_sec).\(time.tv_nsec)\""
    }
}

extension OpenFile {
    /// Whether the client already has this content. `If-None-Match` takes precedence over `If-Modified-Since`.
    fileprivate func isKnown(_ request: Request) -> Bool {
        let tags = request.headers["If-None-Match"].joined(separator: ",")
        guard tags.isEmpty else {
            return tags.split(separator: ",").contains { one in
                let one = one[...].trimmed
                return one == "*" || one == tag || one == "W/" + tag
            }
        }
        return request.header("If-Modified-Since") == modified.httpDate
    }
}

extension Response {
    /// The response with a file, or with the byte range of it that is requested.
    init(_ file: OpenFile, type: String, request: Request) {
        var fields = [
            ("Content-Type", type), ("Accept-Ranges", "bytes"), ("Last-Modified", file.modified.httpDate),
            ("ETag", file.tag),
        ]
        if file.isKnown(request) {
            self.init(.notModified, fields: Array(fields.dropFirst()), body: .bytes(ByteBuffer()))
            return
        }
        let isSame = request.header("If-Range").map { $0 == file.tag || $0 == file.modified.httpDate } ?? true
        switch ByteRange(isSame ? request.header("Range") : nil, size: file.size) {
        case .whole:
            self.init(.ok, fields: fields, body: .file(file.handle, offset: 0, count: file.size))
        case .part(let offset, let count):
            fields.append(("Content-Range", "bytes \(offset)-\(offset + count - 1)/\(file.size)"))
            self.init(.partialContent, fields: fields, body: .file(file.handle, offset: offset, count: count))
        case .unsatisfiable:
            self = .sentence(
                .rangeNotSatisfiable, "the file has \(file.size) bytes",
                fields: [("Content-Range", "bytes */\(file.size)")])
        }
    }
}
