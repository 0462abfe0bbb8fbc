import SnapshotCore
import Testing

@Suite struct StreamFactsTests {
    private func answer(_ text: String) -> StreamFacts.Answer { StreamFacts.answer(Array(text.utf8)) }

    @Test func whatTheCameraSends() {
        let both =
            #"{"programs": [], "streams": [{"codec_name":"aac","codec_type":"audio"},{"codec_name":"hevc","codec_type":"video"}]}"#
        #expect(answer(both) == .found(StreamFacts(video: "hevc", audio: "aac")))
        #expect(
            answer(#"{"streams":[{"codec_name":"h264","codec_type":"video"}]}"#)
                == .found(StreamFacts(video: "h264", audio: nil)))
        #expect(
            answer(#"{"streams":[{"codec_type":"data"},{"codec_name":"aac","codec_type":"audio"}]}"#) == .noSuchStream)
        #expect(answer(#"{"streams":[]}"#) == .noSuchStream)
    }

    @Test func audioThatWasListenedForInVain() {
        func streams(_ audio: String, _ video: String) -> String {
            #"{"streams":[{"codec_name":"h264","codec_type":"video"\#(video)},{"codec_name":"pcm_mulaw","codec_type":"audio"\#(audio)}]}"#
        }
        let counted = #","nb_read_packets":"31""#
        #expect(answer(streams("", counted)) == .found(StreamFacts(video: "h264", audio: nil)))
        #expect(answer(streams(counted, counted)) == .found(StreamFacts(video: "h264", audio: "pcm_mulaw")))
        #expect(answer(streams("", "")) == .found(StreamFacts(video: "h264", audio: "pcm_mulaw")))
    }

    @Test func howLargeThePictureIs() throws {
        let wide = #"{"streams":[{"codec_name":"h264","codec_type":"video","width":2560,"height":1440}]}"#
        guard case .found(let facts) = answer(wide) else { throw Unexpected() }
        #expect(facts.size?.width == 2560 && facts.size?.height == 1440)
        let unknown = #"{"streams":[{"codec_name":"h264","codec_type":"video","width":0,"height":0}]}"#
        #expect(answer(unknown) == .found(StreamFacts(video: "h264", audio: nil)))
    }

    private struct Unexpected: Error {}

    /// The numbers as ffprobe 5.1 prints them.
    @Test func errorsByTheirNumber() {
        #expect(answer(#"{"error":{"code":-825242872,"string":"Server returned 401 Unauthorized"}}"#) == .refused)
        #expect(answer(#"{"error":{"code":-858797304,"string":"Server returned 403 Forbidden"}}"#) == .refused)
        #expect(answer(#"{"error":{"code":-875574520,"string":"Server returned 404 Not Found"}}"#) == .noSuchStream)
        #expect(answer(#"{"error":{"code":-111,"string":"Connection refused"}}"#) == .unreachable)
        #expect(answer(#"{"error":{"code":-1094995529,"string":"Invalid data found"}}"#) == .unreachable)
        #expect(answer(#"{"error":{"code":-541478725,"string":"End of file"}}"#) == .unreachable)
        #expect(answer(#"{"error":{"code":-1482175736,"string":"Server returned 4XX Client Error"}}"#) == .noSuchStream)
    }

    @Test(arguments: ["", "{", "null", "[]", #"{"error":{}}"#, #"{"streams":3}"#, "\u{0}"])
    func nonsenseIsNoAnswer(_ text: String) { #expect(answer(text) == .unreachable) }
}
