import SnapshotHTTP
import Testing

@testable import SnapshotCamera

/// A small JPEG with a thumbnail in front of its frame.
private let sof: [UInt8] = [0xFF, 0xC0, 0x00, 0x0B, 0x08, 0x00, 0x10, 0x00, 0x20, 0x01, 0x01, 0x11, 0x00]
private let sos: [UInt8] = [0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3F, 0x00]
private let exif: [UInt8] = [0xFF, 0xE1, 0x00, 0x46, 0xFF, 0xD8, 0xFF, 0xD9] + Array(repeating: 0x41, count: 64)
private let jpeg: [UInt8] = [0xFF, 0xD8] + exif + sof + sos + [0x12, 0xFF, 0x00, 0xFF, 0xD1, 0x34] + [0xFF, 0xD9]

@Suite struct PictureReaderTests {
    /// After how many bytes the reader has enough, and what it takes of them.
    private func read(_ body: [UInt8], type: String = "image/jpeg", by step: Int = 1) -> (count: Int, wanted: [UInt8]?)?
    {
        var reader = PictureReader()
        reader.begin(contentType: type)
        for count in stride(from: step, through: body.count + step - 1, by: step) {
            let part = Array(body.prefix(count))
            guard reader.isEnough(part) else { continue }
            return (part.count, reader.wanted(of: part, hasEnded: false).map { Array(part[$0]) })
        }
        return nil
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000])
    func aPictureEndsWithItsOwnEnd(step: Int) throws {
        let found = try #require(read(jpeg + Array(repeating: 0, count: 500), by: step))
        #expect(found.wanted == jpeg && found.count < jpeg.count + step)
        #expect(read(Array(jpeg.dropLast()), by: step) == nil)
    }

    @Test(arguments: [
        "--x\r\n", "\r\n--x\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n", "preamble\n--x\nA: b\n",
    ])
    func theFirstPartOfAStreamIsThePicture(header: String) throws {
        let end = header.contains("\r") ? "\r\n" : "\n"
        let part = Array((header + end).utf8) + jpeg
        for step in [1, 5, 100] {
            let found = try #require(read(part + Array("\r\n--x".utf8), type: "multipart/x-mixed-replace", by: step))
            #expect(found.wanted == jpeg)
        }
    }

    @Test func aStreamWithoutAPictureEnds() throws {
        let type = "multipart/x-mixed-replace"
        #expect(try #require(read(Array("--x\r\n\r\n<html>".utf8), type: type)).wanted == Array("<h".utf8))
        #expect(try #require(read(Array(repeating: 0x0A, count: 20000), type: type)).wanted == nil)
        #expect(read(Array("[{\"cmd\":1}]".utf8)) == nil, "an error's text ends as other answers do")
    }
}
