import SnapshotBase
import SnapshotHTTP

/// Objects that were sent whole without an answer, while S3_IF_NONE_MATCH forbids to overwrite: they may be in the bucket
/// already, and then the refusal of the next attempt acknowledges. A class, so that transfers at the same time share it.
final class UnansweredObjects {
    enum Meaning {
        case isThere
        case isTaken(HTTPResponse)
        case saysNothing
    }

    /// The beginning of each key's SHA-256; the oldest first.
    private(set) var names: [String]

    /// A record of the state has little room.
    private static let most = 8

    init(_ names: [String]) { self.names = names }

    /// What an answer to the object `key` means.
    func take(_ answer: HTTPAnswer, of key: String) -> Meaning {
        let name = String(hexadecimal(Crypto.sha256(Array(key.utf8))).prefix(12))
        let isRepeat = names.contains(name)
        switch answer {
        case .none(let failure):
            if failure.bodyWasSent, !isRepeat { names = names.suffix(Self.most - 1) + [name] }
            return .saysNothing
        case .response(let response) where response.status == 412:
            names.removeAll { $0 == name }
            return isRepeat ? .isThere : .isTaken(response)
        case .response(let response):
            if (200...299).contains(response.status) { names.removeAll { $0 == name } }
            return .saysNothing
        }
    }
}
