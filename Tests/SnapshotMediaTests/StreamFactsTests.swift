import SnapshotMedia
import Testing

@Suite struct StreamFactsTests {
    private func answer(_ text: String) -> StreamFacts? { StreamFacts(ffprobe: Array(text.utf8)) }

    @Test func whatTheCameraSends() {
        let both =
            #"{"programs": [], "streams": [{"codec_name":"aac","codec_type":"audio"},{"codec_name":"hevc","codec_type":"video"}]}"#
        #expect(answer(both) == StreamFacts(video: "hevc", audio: "aac"))
        #expect(
            answer(#"{"streams":[{"codec_name":"h264","codec_type":"video"}]}"#)
                == StreamFacts(video: "h264", audio: nil))
        #expect(
            answer(#"{"streams":[{"codec_type":"data"},{"codec_name":"aac","codec_type":"audio"}]}"#) == nil)
        #expect(answer(#"{"streams":[]}"#) == nil)
    }

    @Test func audioThatWasListenedForInVain() {
        func streams(_ audio: String, _ video: String) -> String {
            #"{"streams":[{"codec_name":"h264","codec_type":"video"\#(video)},{"codec_name":"pcm_mulaw","codec_type":"audio"\#(audio)}]}"#
        }
        let counted = #","nb_read_packets":"31""#
        #expect(answer(streams("", counted)) == StreamFacts(video: "h264", audio: nil))
        #expect(answer(streams(counted, counted)) == StreamFacts(video: "h264", audio: "pcm_mulaw"))
        #expect(answer(streams("", "")) == StreamFacts(video: "h264", audio: "pcm_mulaw"))
    }

    @Test func howLargeThePictureIs() throws {
        let wide = #"{"streams":[{"codec_name":"h264","codec_type":"video","width":2560,"height":1440}]}"#
        let facts = try #require(answer(wide))
        #expect(facts.size?.width == 2560 && facts.size?.height == 1440)
        let unknown = #"{"streams":[{"codec_name":"h264","codec_type":"video","width":0,"height":0}]}"#
        #expect(answer(unknown) == StreamFacts(video: "h264", audio: nil))
    }

    @Test func anErrorIsNoStream() {
        #expect(answer(#"{"error":{"code":-111,"string":"Connection refused"}}"#) == nil)
    }

    @Test(arguments: ["", "{", "null", "[]", #"{"error":{}}"#, #"{"streams":3}"#, "\u{0}"])
    func nonsenseIsNoAnswer(_ text: String) { #expect(answer(text) == nil) }
}
