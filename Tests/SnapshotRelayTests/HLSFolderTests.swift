import Glibc
import SnapshotBase
import TestKit
import Testing

@testable import SnapshotRelay

@Suite struct HLSFolderTests {
    private let folder: TemporaryFolder
    private let now = Timestamp(milliseconds: 1_800_000_000_123)

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> HLSFolder {
        try HLSFolder(folder.path, segmentTime: .seconds(2), now: now)
    }

    /// What ffmpeg does: segments, then its list, replaced in one step.
    private func write(_ list: String, _ numbers: ClosedRange<Int>, type: String = "ts") throws {
        var text = "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)\n"
        for number in numbers {
            text += "#EXTINF:2.000000,\n\(number).\(type)\n"
            if !fileExists("\(folder.path)/\(number).\(type)") { try folder.write("\(number).\(type)", "media") }
        }
        try folder.write("list.tmp", text)
        #expect(rename("\(folder.path)/list.tmp", "\(folder.path)/\(list)") == 0)
    }

    private func published() throws -> Playlist { try #require(Playlist(try folder.text("stream.m3u8"))) }

    @Test func numberingGoesOnAcrossAttemptsAndRestarts() throws {
        var it = try open()
        var seen = 0
        var base = 1_800_000_000_000_000
        for attempt in 0..<6 {
            if attempt.isMultiple(of: 2) { it = try open() }
            let list = it.begin(now: now.advanced(byMilliseconds: Int64(attempt))).list
            for last in 0..<4 {
                try write(list, base...(base + last))
                it.update()
                let playlist = try published()
                let end = playlist.mediaSequence + playlist.segments.count
                #expect(end > seen)
                seen = end
                for segment in playlist.segments { #expect(fileExists("\(folder.path)/\(segment.name)")) }
            }
            it.end()
            base += 1_000_000
        }
        let playlist = try published()
        #expect(playlist.segments.count == HLSFolder.listSize)
        #expect(playlist.segments.map(\.isDiscontinuous) == [false, false, true, false, false, false])
        #expect(playlist.discontinuitySequence == 4)
        // The retired stay for a while; nothing else is left.
        #expect(try folder.names().count <= 2 * HLSFolder.listSize + 1)
    }

    @Test(arguments: ["", "garbage", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7"])
    func aLostPlaylistIsFollowedByLaterNumbers(_ text: String) throws {
        try folder.write("stream.m3u8", text.hasSuffix("7") ? String(text.dropLast(3)) : text)
        let it = try open()
        #expect(it.playlist.mediaSequence == 1_800_000_000)
    }

    @Test func segmentsWithoutAnInitialisationDoNotFollowSomeWithOne() throws {
        var it = try open()
        try write(it.begin(now: now).list, 10_000_000...10_000_002, type: "m4s")
        it.end()
        let before = try published()
        #expect(before.segments.allSatisfy { $0.initialisation != nil })
        // Another camera has come in its place.
        try write(it.begin(now: now.advanced(byMilliseconds: 1)).list, 20_000_000...20_000_001)
        it.update()
        let after = try published()
        #expect(after.segments.map(\.name) == ["20000000.ts", "20000001.ts"])
        #expect(after.mediaSequence == before.mediaSequence + 3)
        #expect(!(try folder.text("stream.m3u8").contains("EXT-X-MAP")))
    }

    @Test func ffmpegsRecoveryIsADiscontinuity() throws {
        var it = try open()
        let list = it.begin(now: now).list
        try write(list, 10_000_000...10_000_001)
        it.update()
        // Its muxer began anew: numbers from a later time, and a list without what came before.
        try write(list, 20_000_000...20_000_001)
        it.update()
        #expect(try published().segments.map(\.isDiscontinuous) == [false, false, true, false])
    }

    @Test func eachAttemptHasItsInitialisation() throws {
        var it = try open()
        var names: [String] = []
        for attempt in 0..<4 {
            let begun = it.begin(now: now.advanced(byMilliseconds: Int64(attempt)))
            names.append(begun.initialisation)
            try folder.write(begun.initialisation, "init")
            let base = 10_000_000 * (attempt + 1)
            try write(begun.list, base...(base + 4), type: "m4s")
            it.end()
        }
        #expect(Set(names).count == 4)
        let maps = try published().segments.map(\.initialisation)
        #expect(maps == [names[2]] + Array(repeating: names[3], count: 5))
        // Initialisation segments that no segment on the disk needs are gone.
        #expect(try !folder.names().contains(names[0]))
        #expect(try folder.names().contains(names[3]))
    }

    @Test func theSweepTakesOnlyWhatIsOurs() throws {
        let others = ["index.html", "clip.ts", "0001.ts", "init.txt", "1800000000000000.jpg", "notes.m3u8"]
        let ours = [
            "1800000000000000.ts", "1800000000000001.m4s.tmp", "init-x.mp4", ".live-x.m3u8", ".live-x.m3u8.tmp",
            "stream.m3u8.tmp",
        ]
        for name in others + ours { try folder.write(name, "x") }
        _ = try open()
        #expect(try folder.names() == others.sorted())
    }

    @Test func whatIsGoneFromTheDiskIsNotListed() throws {
        var it = try open()
        let list = it.begin(now: now).list
        try write(list, 10_000_000...10_000_003)
        it.end()
        let before = try published()
        unlink("\(folder.path)/10000001.ts")
        it = try open()
        #expect(it.playlist.segments.map(\.name) == ["10000002.ts", "10000003.ts"])
        #expect(it.playlist.mediaSequence == before.mediaSequence + 2)
    }

    @Test func whatIsNotOursIsNeitherListedNorRemoved() throws {
        try folder.write("holiday.mp4", "film")
        var foreign = Playlist(mediaSequence: 7, targetDuration: 2)
        _ = foreign.append([Playlist.Segment(name: "holiday.mp4", seconds: 2)], limit: 1)
        try folder.write("stream.m3u8", foreign.text)
        let it = try open()
        #expect(it.playlist.segments.isEmpty && it.playlist.mediaSequence == 8)
        #expect(fileExists(folder.path + "/holiday.mp4"))
    }

    @Test func aFolderThatCannotBeIsSaid() {
        let failure = #expect(throws: Failure.self) {
            try HLSFolder("/dev/null/hls", segmentTime: .seconds(2), now: now)
        }
        #expect(failure?.exitCode == 74)
    }
}
