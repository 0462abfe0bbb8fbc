import SnapshotRelay
import Testing

@Suite struct PlaylistTests {
    private func segment(
        _ name: String, _ seconds: Double = 2, discontinuous: Bool = false, initialisation: String? = nil
    ) -> Playlist.Segment {
        var it = Playlist.Segment(name: name, seconds: seconds, date: "2026-01-21T10:30:45.000+0000")
        it.isDiscontinuous = discontinuous
        it.initialisation = initialisation
        return it
    }

    @Test func whatIsWrittenIsReadAgain() {
        var it = Playlist(mediaSequence: 41, targetDuration: 2)
        _ = it.append(
            [
                segment("a.m4s", initialisation: "init-1.mp4"), segment("b.m4s", 1.234, initialisation: "init-1.mp4"),
                segment("c.m4s", discontinuous: true, initialisation: "init-2.mp4"),
            ], limit: 6)
        it.discontinuitySequence = 7
        #expect(Playlist(it.text) == it)
        #expect(it.text.contains("#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-2.mp4\"\n"))
        #expect(it.text.contains("#EXTINF:1.234,\nb.m4s\n"))
    }

    @Test func numbersGoUpByWhatLeaves() {
        var it = Playlist(mediaSequence: 10, targetDuration: 2)
        #expect(it.append([segment("a"), segment("b", discontinuous: true)], limit: 2).isEmpty)
        #expect(it.append([segment("c"), segment("d")], limit: 2).map(\.name) == ["a", "b"])
        #expect(it.mediaSequence == 12)
        #expect(it.discontinuitySequence == 1)
        #expect(it.append((0..<20).map { segment("\($0)") }, limit: 2).count == 20)
        #expect(it.mediaSequence == 32)
    }

    @Test(arguments: ["../secret", "a/b", ".hidden", ""])
    func namesStayInTheFolder(_ name: String) {
        let it = Playlist(mediaSequence: 1, targetDuration: 2)
        #expect(Playlist(it.text + "#EXTINF:2.000,\n1.ts\n") != nil)
        #expect(Playlist(it.text + "#EXT-X-MAP:URI=\"\(name)\"\n#EXTINF:2.000,\n1.m4s\n") == nil)
    }

    @Test func aNumberThatCannotBeCountedFromIsNotTakenUp() {
        let text = Playlist(mediaSequence: 1, targetDuration: 2).text
        var it = Playlist(text.split(separator: "SEQUENCE:0").joined(separator: "SEQUENCE:\(Int.max)"))
        _ = it?.append([segment("a", discontinuous: true)], limit: 0)
        #expect(it?.discontinuitySequence == (1 << 52) + 1)
    }

    @Test func noSegmentIsLongerThanTheTarget() {
        var it = Playlist(mediaSequence: 0, targetDuration: 4)
        _ = it.append([segment("a", 4.4), segment("b", 6.5)], limit: 6)
        #expect(it.targetDuration == 7)
        _ = it.append([segment("c", 2)], limit: 1)
        #expect(it.targetDuration == 7)
    }

    @Test func ffmpegsOwnListIsRead() throws {
        let it = try #require(
            Playlist(
                """
                #EXTM3U
                #EXT-X-VERSION:7
                #EXT-X-TARGETDURATION:2
                #EXT-X-MEDIA-SEQUENCE:1795378347682498
                #EXT-X-MAP:URI="init-2.mp4"
                #EXTINF:2.000000,
                #EXT-X-PROGRAM-DATE-TIME:2026-11-22T19:42:17.548+0000
                1795378347682498.m4s

                """))
        #expect(it.mediaSequence == 1_795_378_347_682_498)
        #expect(it.segments.map(\.name) == ["1795378347682498.m4s"])
        #expect(it.segments.first?.date == "2026-11-22T19:42:17.548+0000")
        #expect(it.segments.first?.initialisation == "init-2.mp4")
    }

    @Test(arguments: [
        "", "\n", "#EXTM3U", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:x\n", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-1\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:99999999999999999999\n", "\u{0}\u{0}",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\n../../etc/passwd\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:nan,\na.ts\n", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:1\na.ts\n",
    ])
    func whatCannotBeTrustedIsNoPlaylist(_ text: String) { #expect(Playlist(text) == nil) }
}
