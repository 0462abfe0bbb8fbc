import Glibc
import SnapshotBase

/// One record in the ring file: a JSON object, padded with spaces to a newline, 4,096 bytes in all. It begins with
/// `seq`, so that the newest slot is found without decoding all, and ends with `crc`: the CRC-32 of every byte before
/// `,"crc"`, in hexadecimal.
enum Slot {
    static let size = 4096
    /// The highest `seq`; after it the numbers begin at 1 again.
    static let highestSequence = UInt64(Int.largestInJSON)

    private static let beginning = Array("{\"seq\":".utf8)

    static func encode(_ record: Record) throws(Failure) -> [UInt8] {
        var record = record
        var hasOthers = true
        while true {
            let text = json(record)
            if text.count < size {
                return text + Array(repeating: 0x20, count: size - 1 - text.count) + [0x0A]
            }
            // Of our own fields only the hours are large; a later version may have added others.
            if !record.hours.isEmpty {
                record.hours.removeFirst(max(1, record.hours.count / 2))
            } else if hasOthers {
                record.forgetOthers()
                hasOthers = false
            } else {
                throw Failure(
                    .own(.state), "cannot write state", why: "the record is over 4,096 bytes")
            }
        }
    }

    /// A slot that has not been written yet.
    static let blank = Array(repeating: UInt8(ascii: " "), count: size - 1) + [UInt8(ascii: "\n")]

    private static func json(_ record: Record) -> [UInt8] {
        let object = record.json.bytes
        let text = Array("{\"seq\":\(record.seq),".utf8) + object[1..<max(1, object.count - 1)]
        return text + Array(",\"crc\":\"\(crc32(text[...]).hexadecimal)\"}".utf8)
    }

    /// The number at the beginning of a slot; nil if the slot does not begin like a record.
    static func sequence(of slot: ArraySlice<UInt8>) -> UInt64? {
        guard slot.starts(with: beginning) else { return nil }
        let digits = slot.dropFirst(beginning.count).prefix { (48...57).contains($0) }
        guard (1...19).contains(digits.count) else { return nil }
        let seq = digits.reduce(0) { $0 * 10 + UInt64($1 - 48) }
        return seq <= highestSequence ? seq : nil
    }

    static func isBlank(_ slot: ArraySlice<UInt8>) -> Bool {
        slot.withUnsafeBytes { slot in
            blank.withUnsafeBytes { blank in
                guard let one = slot.baseAddress, let other = blank.baseAddress else { return false }
                return slot.count == blank.count && memcmp(one, other, slot.count) == 0
            }
        }
    }

    /// The record in a slot; nil if its checksum is wrong or it cannot be parsed.
    static func decode(_ slot: ArraySlice<UInt8>) -> Record? {
        guard let end = slot.lastIndex(of: UInt8(ascii: "}")), end - slot.startIndex > 18 else { return nil }
        let tail = slot[(end - 17)..<end]
        let body = slot[..<(end - 17)]
        guard tail.elementsEqual(",\"crc\":\"\(crc32(body).hexadecimal)\"".utf8) else { return nil }
        guard let seq = sequence(of: slot), case .object(let object) = JSON(slot[...end]),
            var record = Record(json: .object(object.without("seq", "crc"))), record.countsAreSound
        else {
            return nil
        }
        record.seq = seq
        return record
    }
}
