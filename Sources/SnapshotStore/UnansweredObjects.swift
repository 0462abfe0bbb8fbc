import SnapshotBase
import SnapshotHTTP

/// With S3_IF_NONE_MATCH: objects that were sent completely but got no answer. They may be stored, so a refusal of the
/// next attempt (412) is their acknowledgement. A class, so that simultaneous transfers share it.
final class UnansweredObjects {
    enum Meaning {
        // Stored by the earlier attempt.
        case isThere
        // Another object has the key.
        case isTaken(HTTPResponse)
        // Neither: the answer means what it says.
        case saysNothing
    }

    /// The first 12 hexadecimal digits of each key's SHA-256, oldest first.
    private(set) var names: [String]

    /// Few, as a record of the state has little room.
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
