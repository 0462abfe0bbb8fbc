import Glibc
import SnapshotBase

/// A regular file below a folder, open, with what it was like at that moment.
struct OpenFile {
    let handle: FileHandle
    let size: Int
    let modified: Timestamp
    /// Changes with the file's content: a strong entity tag, quotes included.
    let tag: String

    /// Opens the file that `names` lead to, one folder after the other and following no link, so that nothing outside
    /// of `folder` is ever reached. Hidden names are never opened: they are unfinished files.
    init?(below folder: String, _ names: [String]) {
        guard !names.isEmpty, names.count <= 4,
            names.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") && !$0.contains("/") }),
            var handle = try? FileHandle(opening: folder, O_RDONLY | O_DIRECTORY)
        else { return nil }
        for (index, name) in names.enumerated() {
            let kind = index == names.count - 1 ? O_NONBLOCK : O_DIRECTORY
            let next = retrying { openat(handle.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind) }
            guard next >= 0 else { return nil }
            handle = FileHandle(owning: next)
        }
        guard let facts = try? handle.status(), facts.st_mode & S_IFMT == S_IFREG else { return nil }
        self.handle = handle
        size = Int(facts.st_size)
        let time = facts.st_mtim
        modified = Timestamp(time)
        tag = "\"\(String(facts.st_ino, radix: 36))-\(String(size, radix: 36))-\(time.tv_sec).\(time.tv_nsec)\""
    }
}

extension Response {
    /// A file, or the part of it that is asked for.
    init(_ file: OpenFile, type: String, request: Request) {
        var fields = [
            ("Content-Type", type), ("Accept-Ranges", "bytes"), ("Last-Modified", file.modified.httpDate),
            ("ETag", file.tag),
        ]
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
