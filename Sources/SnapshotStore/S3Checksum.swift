import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

extension S3Checksum {
    /// The checksum header for `object`; none where no checksum is sent.
    func headers(_ object: StoredObject) -> [(name: String, value: String)] {
        switch self {
        case .auto, .none: return []
        case .md5:
            let digest = Crypto.md5(object.content)
            // MD5 may be disabled on this system (FIPS). The store then says what it requires.
            return digest.isEmpty ? [] : [("content-md5", Crypto.base64(digest))]
        case .sha256:
            let digest = stride(from: 0, to: object.sha256.utf8.count, by: 2).compactMap {
                UInt8(object.sha256.dropFirst($0).prefix(2), radix: 16)
            }
            return [("x-amz-checksum-sha256", Crypto.base64(digest))]
        }
    }

    /// The checksum that a refusal asks for; nil where the refusal has another reason.
    func wanted(by error: S3Error) -> S3Checksum? {
        // AWS uses an error code that has other meanings, so only the header's name in the message tells.
        let words = "\(error.code) \(error.message)".lowercased()
        let namesSHA = words[...].range(of: "x-amz-checksum") != nil
        let namesMD5 = ["content-md5", "contentmd5"].contains { words[...].range(of: $0) != nil }
        switch self {
        case .auto where namesSHA: return .sha256
        case .auto where namesMD5, .sha256 where namesMD5: return .md5
        case .auto, .md5, .sha256, .none: return nil
        }
    }
}

extension Crypto {
    /// MD5 of a body that is bytes or a file; empty where it can't be computed.
    fileprivate static func md5(_ content: HTTPBody) -> [UInt8] {
        switch content {
        case .bytes(let bytes): md5(bytes)
        case .file(let file, let offset, let length): md5(of: file.descriptor, offset: offset, length: length) ?? []
        case .none, .base64, .form, .pipe: []
        }
    }
}
