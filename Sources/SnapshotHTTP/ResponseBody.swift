import SnapshotBase

/// Finds the wanted part of a response's body by its content, for servers whose Content-Length is unreliable.
package protocol BodyReader: Sendable {
    /// Called when a response begins; an earlier one was an interim response or a challenge.
    mutating func begin(contentType: String)
    /// Whether the wanted part is complete, so that the transfer can end.
    /// - Parameter body: everything received so far.
    mutating func isEnough(_ body: [UInt8]) -> Bool
    /// The range of the wanted part; nil if the body is an endless stream in which no part has begun.
    /// - Parameter hasEnded: whether the body ended by itself, rather than being cut off where the reader had enough.
    func wanted(of body: [UInt8], hasEnded: Bool) -> Range<Int>?
}

/// The body of a response while it is being received.
struct ResponseBody {
    private var bytes: [UInt8] = []
    private let limit: Int
    private var reader: (any BodyReader)?
    private var announced: Int?
    /// Whether the response is multipart: then its overall length says nothing about the first part.
    private(set) var isStream = false
    /// Whether the wanted part is complete; some padding may follow.
    private(set) var isWhole = false
    /// Whether the transfer should end.
    private(set) var shouldEnd = false

    /// The most padding, in bytes, that is awaited after the wanted part. If Content-Length announces more, it is
    /// ignored.
    private static let mostPadding = 1 << 20

    init(for request: HTTPRequest) {
        limit = request.maximumBody
        reader = request.reader
    }

    var isEmpty: Bool { bytes.isEmpty }
    /// Whether as many bytes as announced have been received, though more may follow.
    var hasAllAnnounced: Bool { announced.map { bytes.count >= $0 } ?? false }

    /// Whether the transfer may end after a pause, because everything wanted has been received.
    func isComplete(ignoringLength: Bool) -> Bool { isWhole || ignoringLength && !isEmpty && hasAllAnnounced }

    /// Discards everything received so far, because another response begins.
    mutating func reset() { (bytes, announced, isStream, isWhole, shouldEnd) = ([], nil, false, false, false) }

    /// Called when the response's header is complete.
    /// - Returns: without a reader, the reason to reject a body that is too large or endless; otherwise nil.
    mutating func prepare(for headers: NamedValues<String>) -> HTTPFailure? {
        let type = headers["content-type"]?.lowercased() ?? ""
        reader?.begin(contentType: type)
        isStream = type.hasPrefix("multipart/")
        announced = isStream ? nil : headers["content-length"].flatMap { Int(decimal: $0) }
        guard reader == nil else { return nil }
        if (announced ?? 0) > limit { return .bodyTooLarge }
        return type.hasPrefix("multipart/x-mixed-replace") ? .multipart : nil
    }

    /// - Returns: false if the body exceeds the limit.
    mutating func take(_ raw: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count + raw.count <= limit else { return false }
        if bytes.isEmpty, let announced { bytes.reserveCapacity(min(announced, limit)) }
        bytes.append(contentsOf: raw)
        // At the announced length the transfer ends by itself, and the connection stays open for the next request.
        if !isWhole, bytes.count != announced, reader?.isEnough(bytes) == true { isWhole = true }
        if isWhole, !(0...Self.mostPadding).contains((announced ?? 0) - bytes.count) { shouldEnd = true }
        return true
    }

    mutating func end() { shouldEnd = true }

    /// The wanted part. The bytes are moved out, as a copy of a large picture would double the memory.
    mutating func taken() throws(HTTPFailure) -> [UInt8] {
        guard let reader else { return bytes }
        guard let range = reader.wanted(of: bytes, hasEnded: !shouldEnd) else { throw .multipart }
        var wanted = bytes
        bytes = []
        wanted.removeSubrange(range.upperBound...)
        wanted.removeSubrange(..<range.lowerBound)
        return wanted
    }
}
