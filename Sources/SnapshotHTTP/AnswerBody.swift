import SnapshotBase

/// Knows by itself where the wanted part of an answer's body ends, for servers whose lengths can't be believed.
package protocol BodyReader: Sendable {
    /// An answer begins; an earlier one was an interim one, or a challenge.
    mutating func begin(contentType: String)
    /// Whether no more is needed; then the transfer ends.
    /// - Parameter body: all that has come so far.
    mutating func isEnough(_ body: [UInt8]) -> Bool
    /// What is wanted of the body; nil where it is a stream without end that has brought nothing.
    func wanted(of body: [UInt8], isWhole: Bool) -> Range<Int>?
}

/// The body of an answer on its way in.
struct AnswerBody {
    private var bytes: [UInt8] = []
    private let limit: Int
    private var reader: (any BodyReader)?
    private var announced: Int?
    /// Whether it is several parts, whose end tells nothing of the first one.
    private(set) var isStream = false
    /// The wanted part is there; a little padding may follow.
    private(set) var isWhole = false
    /// Set once no more is needed.
    private(set) var isEnough = false

    /// How much padding is waited for. A length that promises more can't be believed.
    private static let mostPadding = 1 << 20

    init(for request: HTTPRequest) {
        limit = request.maximumBody
        reader = request.reader
    }

    var isEmpty: Bool { bytes.isEmpty }
    /// Whether all that was announced has come, though more may follow.
    var hasAllAnnounced: Bool { announced.map { bytes.count >= $0 } ?? false }

    /// Whether silence may end it: all that is wanted has come.
    func isComplete(ignoringLength: Bool) -> Bool { isWhole || ignoringLength && !isEmpty && hasAllAnnounced }

    /// A new answer has begun: what came before was another's.
    mutating func begin() { (bytes, announced, isStream, isWhole, isEnough) = ([], nil, false, false, false) }

    /// Its header has come.
    /// - Returns: why it isn't read where nothing but its length ends it: it is over the limit, or has no end.
    mutating func begin(_ headers: Named<String>) -> HTTPFailure? {
        let type = headers["content-type"]?.lowercased() ?? ""
        reader?.begin(contentType: type)
        isStream = type.hasPrefix("multipart/")
        announced = isStream ? nil : headers["content-length"].flatMap { Int(decimal: $0) }
        guard reader == nil else { return nil }
        if (announced ?? 0) > limit { return .bodyTooLarge }
        return type.hasPrefix("multipart/x-mixed-replace") ? .multipart : nil
    }

    /// - Returns: false where it is over the limit.
    mutating func take(_ raw: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count + raw.count <= limit else { return false }
        if bytes.isEmpty, let announced { bytes.reserveCapacity(min(announced, limit)) }
        bytes.append(contentsOf: raw)
        // What was announced ends the transfer by itself, and keeps the connection for the next one.
        if !isWhole, bytes.count != announced, reader?.isEnough(bytes) == true { isWhole = true }
        if isWhole, !(0...Self.mostPadding).contains((announced ?? 0) - bytes.count) { isEnough = true }
        return true
    }

    mutating func end() { isEnough = true }

    /// What is wanted of it. It is handed over: a second copy of a large picture would cost as much memory again.
    mutating func taken() throws(HTTPFailure) -> [UInt8] {
        guard let reader else { return bytes }
        guard let range = reader.wanted(of: bytes, isWhole: !isEnough) else { throw .multipart }
        var wanted = bytes
        bytes = []
        wanted.removeSubrange(range.upperBound...)
        wanted.removeSubrange(..<range.lowerBound)
        return wanted
    }
}
