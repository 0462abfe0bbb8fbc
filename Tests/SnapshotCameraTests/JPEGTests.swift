import Testing

@testable import SnapshotCamera

/// The smallest JPEG that passes: SOI, a comment for the least size, SOF0, SOS, a short scan, EOI.
private let sof: [UInt8] = [0xFF, 0xC0, 0x00, 0x0B, 0x08, 0x00, 0x10, 0x00, 0x20, 0x01, 0x01, 0x11, 0x00]
private let sos: [UInt8] = [0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3F, 0x00]
private let comment: [UInt8] = [0xFF, 0xFE, 0x00, 0x42] + Array(repeating: 0x41, count: 64)
private let soi: [UInt8] = [0xFF, 0xD8]
private let eoi: [UInt8] = [0xFF, 0xD9]
private let scan: [UInt8] = sos + [0x12, 0xFF, 0x00, 0x34]
private let minimal: [UInt8] = soi + comment + sof + scan + eoi

/// What is wrong with the JPEG that `parts` make up. Swift 6.2 can't type-check a long sum of arrays in time.
private func flaw(_ parts: [UInt8]...) -> JPEG.Flaw? {
    do throws(JPEG.Flaw) { _ = try JPEG(checking: Array(parts.joined())) } catch { return error }
    return nil
}

@Suite struct JPEGTests {
    @Test func findsDimensionsAndScan() throws {
        let jpeg = try JPEG(checking: minimal)
        #expect(jpeg.width == 32 && jpeg.height == 16)
        #expect(Array(minimal[jpeg.scan]) == scan + eoi)
    }

    @Test func oddButGood() {
        #expect(flaw(minimal, Array(repeating: 0, count: 100)) == nil, "padding")
        #expect(flaw(soi, [0xFF, 0xFF], comment, sof, sos, [1], eoi) == nil, "fill bytes")
        #expect(flaw(soi, comment, sof, sos, [1, 0xFF, 0xD3, 2], eoi) == nil, "restart marker")
        #expect(flaw(soi, comment, sof, sos, [1], sos, [2], eoi) == nil, "several scans")
        let thumbnail = soi + eoi
        let exif: [UInt8] = [0xFF, 0xE1, 0x00, 0x44] + thumbnail + Array(repeating: 0x41, count: 62)
        #expect(flaw(soi, exif, sof, sos, [1], eoi) == nil, "a thumbnail inside a segment")
    }

    @Test func everyCutIsSeen() {
        for count in 0..<minimal.count { #expect(flaw(Array(minimal.prefix(count))) != nil, "cut at \(count)") }
    }

    @Test func flaws() {
        #expect(flaw([]) == .empty)
        #expect(flaw(Array(" \r\n".utf8)) == .empty)
        #expect(flaw(Array(#"[{"cmd":"Snap"}]"#.utf8)) == .json)
        #expect(flaw(Array("<html></html>".utf8)) == .html)
        #expect(flaw(soi, Array(repeating: 0, count: 26)) == .tiny(28))
        #expect(flaw(soi, comment, sof, sos, eoi) == .noScan)
        #expect(flaw(soi, comment, sos, [1], eoi) == .noDimensions)
        #expect(flaw(soi, comment, sof, eoi) == .noScan)
        let twice: [UInt8] = soi + comment + sof + sof
        #expect(flaw(twice, sos, [1], eoi) != nil)
        #expect(flaw(soi, comment, [0x00], sof) == .badMarker(at: 70))
        #expect(flaw(soi, [0xFF, 0xE0, 0x00, 0x01], comment) == .badSegment(at: 4))
    }
}
