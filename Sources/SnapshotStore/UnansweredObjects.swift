import SnapshotBase
import SnapshotHTTP

/// With S3_IF_NONE_MATCH: objects that were sent completely but got no response. They may be stored, so a refusal of
/// the next attempt (412) is their acknowledgement. A class, so that simultaneous transfers share it.
final class UnansweredObjects {
    enum Meaning {
        /// The earlier attempt stored the object.
        case isThere
        /// Another object has the key.
        case isTaken(HTTPResponse)
        /// Neither: the result is treated like any other.
        case isOrdinary
    }

    /// The first 12 hexadecimal digits of each key's SHA-256, oldest first.
    private(set) var names: [String]

    /// Few, as a record of the state has little room.
    private static let mostNames = 8

    init(_ names: [String]) { self.names = names }

    /// What the result of the upload of `key` means; remembers an object whose upload got no response.
    func meaning(of result: HTTPResult, to key: String) -> Meaning {
        let name = String(hexadecimal(Crypto.sha256(Array(key.utf8))).prefix(12))
        let isRepeat = names.contains(name)
        switch result {
        case .failure(let failure):
            if failure.bodyWasSent, !isRepeat { names = names.suffix(Self.mostNames - 1) + [name] }
            return .isOrdinary
        case .response(let response) where response.status == 412:
            names.removeAll { $0 == name }
            return isRepeat ? .isThere : .isTaken(response)
        case .response(let response):
            if (200...299).contains(response.status) { names.removeAll { $0 == name } }
            return .isOrdinary
        }
    }
}
