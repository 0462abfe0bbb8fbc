import SnapshotBase
import SnapshotMedia
import SnapshotSettings
import Testing

@testable import SnapshotRelay

func named(_ settings: [String: String]) -> NamedValues<String> {
    NamedValues(Dictionary(uniqueKeysWithValues: settings.map { ($0.key, $0.value) }))
}

@Suite struct FFmpegArgumentsTests {
    private func plan(_ settings: [String: String] = [:]) throws -> RelayPlan {
        let basic: [String: String] = [
            "CAMERA_IP": "10.0.0.2", "STREAM_MODE": "hls,record,pipe,republish", "SERVER_URL": "http://server/in",
            "OUTPUT_RTSP_URL": "rtsp://server/live", "CAMERA_PASSWORD": "canary-password",
        ]
        return try RelayPlan(
            Settings(commandLine: named(basic.merging(settings) { $1 }), environment: [:], path: "/dev/null"))
    }

    private func list(_ facts: StreamFacts, _ plan: RelayPlan) -> [String] {
        let slaves = plan.outputs.compactMap { output -> FFmpegSlave? in
            switch output {
            case let hls as HLSOutput:
                return hls.slave(nil, list: ".live-1.m3u8", initialisation: "init-1.mp4")
            case let record as RecordOutput:
                return (try? Folder("/tmp")).map { record.slave(facts, in: $0, runStart: Timestamp(milliseconds: 17)) }
            case is PushOutput: return PushOutput.slave(to: "rtsp://127.0.0.1:9/push")
            case is PipeOutput: return PipeOutput.slave
            default: return nil
            }
        }
        return FFmpegArguments(facts, slaves, audio: plan.audio).list
    }

    private func value(_ list: [String], behind name: String) -> String? {
        list.firstIndex(of: name).map { list[$0 + 1] }
    }

    @Test func videoIsNeverEncoded() throws {
        for facts in [StreamFacts(video: "h264", audio: nil), StreamFacts(video: "hevc", audio: "pcm_alaw")] {
            #expect(value(list(facts, try plan()), behind: "-c:v") == "copy")
        }
    }

    @Test func audioIsKeptMadeFitOrLeftOut() throws {
        let aac = list(StreamFacts(video: "h264", audio: "aac"), try plan())
        #expect(value(aac, behind: "-c:a") == "copy")
        let pcm = list(StreamFacts(video: "h264", audio: "pcm_mulaw"), try plan())
        #expect(value(pcm, behind: "-c:a") == "aac")
        for none in [
            list(StreamFacts(video: "h264", audio: nil), try plan()),
            list(StreamFacts(video: "h264", audio: "aac"), try plan(["STREAM_AUDIO": "none"])),
        ] {
            #expect(none.contains("-an") && !none.contains("0:a:0"))
        }
    }

    @Test func videoIsMadeForBrowsers() throws {
        let hevc = list(StreamFacts(video: "hevc", audio: nil), try plan())
        let h264 = list(StreamFacts(video: "h264", audio: nil), try plan())
        #expect(value(hevc, behind: "-tag:v") == "hvc1" && !h264.contains("-tag:v"))
        for list in [hevc, h264] {
            #expect(list.last?.contains("hls_segment_type=fmp4:hls_fmp4_init_filename=init-1.mp4") == true)
            #expect(list.last?.contains("/%d.m4s") == true)
        }
    }

    @Test func everyOutputHasItsQueueAndMayFail() throws {
        let tee = try #require(list(StreamFacts(video: "h264", audio: nil), try plan()).last)
        #expect(tee.split(separator: "|").count == 4)
        #expect(tee.split(separator: "|").allSatisfy { $0.contains("onfail=ignore") })
        #expect(value(list(StreamFacts(video: "h264", audio: nil), try plan()), behind: "-use_fifo") == "1")
    }

    @Test func filesAreInFoldersThatFFmpegGetsOpen() throws {
        let folders = try (0..<2).map { _ in try Folder("/tmp") }
        var hls = FFmpegSlave("hls", to: .file(".live-1.m3u8"))
        hls.files = [("hls_segment_filename", "%d.ts")]
        hls.folder = folders[0]
        var record = FFmpegSlave("segment", to: .file("%d.mp4"))
        record.folder = folders[1]
        let arguments = FFmpegArguments(
            StreamFacts(video: "h264", audio: nil), [PipeOutput.slave, hls, record], audio: .none)
        #expect(arguments.folders.keys.sorted() == [6, 7])
        #expect(arguments.folders[6] === folders[0].handle && arguments.folders[7] === folders[1].handle)
        let tee = try #require(arguments.list.last)
        #expect(tee.contains("hls_segment_filename=/proc/self/fd/6/%d.ts]/proc/self/fd/6/.live-1.m3u8"))
        #expect(tee.hasSuffix("]/proc/self/fd/7/%d.mp4"))
    }

    @Test func addressesMayHoldAnything() throws {
        let slave = FFmpegSlave("x", [("name", "a b'c:d|e[g]")], to: .address("/a b'c:d|\u{301}e[g]"))
        let argument = slave.argument(folder: 5)
        #expect(argument.contains(#"name=a b\\\'c\\:d\|e[g\\]]"#))
        #expect(Array(argument.utf8).contains(Array("]/a b\\'c:d\\|\u{301}e[g]".utf8)))
    }

    @Test func noSecretIsAnArgument() throws {
        let plan = try plan([
            "OUTPUT_RTSP_URL": "rtsp://user:canary-push@server/live", "HTTP_AUTH_TOKEN": "canary-token",
        ])
        let all = list(StreamFacts(video: "h264", audio: nil), plan).joined(separator: " ")
        #expect(!all.contains("canary") && !all.contains("server"))
        for secret in ["canary-password", "canary-push", "canary-token"] {
            #expect(Secrets.ofThisRun.areIn("x \(secret) x"))
        }
        let question = StreamFacts.probe(RTSPSource(url: "rtsp://127.0.0.1:9/canary", timeout: .seconds(1)), [:])
        #expect(!question.arguments.joined().contains("canary"))
    }
}

@Suite struct RelayPlanTests {
    private func plan(_ settings: [String: String]) throws -> RelayPlan {
        try RelayPlan(Settings(commandLine: named(settings), environment: [:], path: "/dev/null"))
    }

    @Test func addressesOfAReolink() throws {
        let it = try plan([
            "CAMERA_IP": "10.0.0.2:8080", "CAMERA_RTSP_PORT": "8554", "CAMERA_CHANNEL": "9", "STREAM_SOURCE": "sub",
            "STREAM_MODE": "hls",
        ])
        #expect(
            it.candidates == [
                "rtsp://10.0.0.2:8554/h264Preview_10_sub", "rtsp://10.0.0.2:8554/h265Preview_10_sub",
                "rtsp://10.0.0.2:8554/Preview_10_sub",
            ])
        #expect(
            try plan(["CAMERA_IP": "[fe80::1]:80", "STREAM_MODE": "hls"]).candidates[0]
                == "rtsp://[fe80::1]:554/h264Preview_01_main")
        #expect(
            try plan(["CAMERA_IP": "fe80::1", "STREAM_MODE": "hls"]).candidates[0]
                == "rtsp://[fe80::1]:554/h264Preview_01_main")
        #expect(try plan(["CAMERA_URL": "rtsp://u:p@h:1/x?y", "STREAM_MODE": "hls"]).candidates == ["rtsp://h:1/x?y"])
    }

    @Test func modesInAnyOrderOnce() throws {
        #expect(try plan(["CAMERA_IP": "h", "STREAM_MODE": "record, HLS,record"]).modes == ["hls", "record"])
    }

    @Test func whereToPush() throws {
        let it = try plan([
            "CAMERA_IP": "h", "STREAM_MODE": "republish", "OUTPUT_RTSP_URL": "rtsp://u%40:p%3A@[::1]:9/live?x",
        ])
        let push = try #require(it.outputs.first as? PushOutput)
        #expect(push.host == "::1" && push.port == 9 && push.path == "/live?x")
        #expect(push.user == "u@" && push.password == "p:")
        #expect(push.url == "rtsp://[::1]:9/live?x")
        let plain = try plan(["CAMERA_IP": "h", "STREAM_MODE": "republish", "OUTPUT_RTSP_URL": "rtsp://s/a"])
        #expect((plain.outputs.first as? PushOutput)?.port == 554)
    }

    @Test(
        arguments: [
            ["CAMERA_IP": "h"], ["STREAM_MODE": "hls"], ["CAMERA_IP": "h", "STREAM_MODE": "hls,video"],
            ["CAMERA_IP": "h", "STREAM_MODE": "hls,"], ["CAMERA_IP": "h", "STREAM_MODE": "republish"],
            ["CAMERA_IP": "h", "STREAM_MODE": "pipe"], ["CAMERA_URL": "http://h/x.jpg", "STREAM_MODE": "hls"],
            ["CAMERA_IP": "h", "STREAM_MODE": "hls", "STALL_TIMEOUT": "1s"],
            ["CAMERA_IP": "h", "STREAM_MODE": "hls", "SEGMENT_TIME": "0"],
            ["CAMERA_IP": "h", "STREAM_MODE": "record", "HLS_SEGMENT_TIME": "61s"],
            ["CAMERA_IP": "h", "STREAM_MODE": "hls", "RECORD_MAX_AGE": "0"],
            ["CAMERA_IP": "h", "STREAM_MODE": "republish", "OUTPUT_RTSP_URL": "http://s/a"],
        ] as [[String: String]])
    func whatIsRefused(_ settings: [String: String]) {
        let failure = #expect(throws: Failure.self) { try plan(settings) }
        #expect(failure?.exitCode == 78)
    }

    @Test func segmentsThatWaitForTheStoreAreBounded() throws {
        let basic: [String: String] = ["CAMERA_IP": "h", "STREAM_MODE": "record"]
        func retention(_ settings: [String: String]) throws -> RecordingRetention? {
            (try plan(basic.merging(settings) { $1 }).outputs.first as? RecordOutput)?.retention
        }
        #expect(try retention([:]) == RecordingRetention())
        #expect(try retention(["RECORD_UPLOAD": "yes"])?.minFree == 256 << 20)
    }
}
