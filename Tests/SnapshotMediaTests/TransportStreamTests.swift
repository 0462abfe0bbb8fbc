import Testing

@testable import SnapshotMedia

@Suite struct TransportStreamTests {
    private func packet(_ identifier: Int, start: Bool = true, isKey: Bool = false, payload: [UInt8] = []) -> [UInt8] {
        let flags: UInt8 = isKey ? 0x30 : 0x10
        var bytes: [UInt8] = [0x47, (start ? 0x40 : 0) | UInt8(identifier >> 8), UInt8(identifier & 0xFF), flags]
        if isKey { bytes += [7, 0x50, 0, 0, 0, 0, 0, 0] }
        return Array((bytes + payload + Array(repeating: 0xFF, count: 188)).prefix(188))
    }

    private var tables: [UInt8] {
        let programs: [UInt8] = [0, 0x00, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xF0, 0x00, 1, 2, 3, 4]
        let map: [UInt8] = [
            0, 0x02, 0xB0, 23, 0, 1, 0xC1, 0, 0, 0xE1, 0, 0xF0, 0, 0x0F, 0xE1, 1, 0xF0, 0, 0x1B, 0xE1, 0, 0xF0, 0, 1, 2,
            3, 4,
        ]
        return packet(0, payload: programs) + packet(0x1000, payload: map)
    }

    private var audio: [UInt8] { packet(0x101, isKey: true) }
    private var picture: [UInt8] { packet(0x100) + packet(0x100, start: false) }
    private var keyFrame: [UInt8] { packet(0x100, isKey: true) }

    @Test func beginsWithTheTablesAndAKeyFrame() {
        var it = TransportStream()
        #expect(it.read((picture + tables + audio + picture)[...]).isEmpty)
        #expect(it.read((keyFrame + audio)[...]) == tables + keyFrame + audio)
        #expect(it.read(picture[...]) == picture)
    }

    @Test func goesOnWithAKeyFrameAfterAGap() {
        var it = TransportStream()
        _ = it.read((tables + keyFrame)[...])
        it.close()
        #expect(it.read((picture + audio)[...]).isEmpty)
        #expect(it.read((keyFrame + picture)[...]) == tables + keyFrame + picture)
    }

    @Test(arguments: [1, 100, 187, 189, 1000])
    func wholePacketsWhateverTheReadsAre(_ size: Int) {
        var it = TransportStream()
        let stream = tables + keyFrame + (0..<20).flatMap { _ in picture + audio }
        var passed: [UInt8] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let some = it.read(rest.prefix(size))
            #expect(some.count.isMultiple(of: 188))
            passed += some
            rest = rest.dropFirst(size)
        }
        #expect(passed == stream)
    }

    @Test func fallsIntoStepAgain() {
        var it = TransportStream()
        _ = it.read((tables + keyFrame)[...])
        #expect(it.read(([1, 2, 3] + picture)[...]).isEmpty)
        #expect(it.read((tables + keyFrame)[...]) == tables + keyFrame)
    }

    @Test(arguments: 0..<20)
    func anyBytesAreSurvived(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        var it = TransportStream()
        for _ in 0..<100 {
            var bytes = (0..<188).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes[0] = 0x47
            // Often a table, so that its reading is reached.
            if Bool.random(using: &generator) { (bytes[1], bytes[2], bytes[3], bytes[4]) = (0x40, 0, 0x10, 0) }
            if Bool.random(using: &generator) { bytes[5] = UInt8.random(in: 0...2, using: &generator) }
            let passed = it.read(bytes[...])
            #expect(passed.count.isMultiple(of: 188))
        }
    }
}
