import SnapshotBase
import Testing

@Suite struct FailureCodeTests {
    @Test(arguments: [
        "usage", "camera-timeout", "picture-html", "store-bucket-missing", "pipe-tls", "camera-error-6",
        "camera-error0",
        "no-libcurl", "start-ffmpeg",
    ])
    func aCodeIsReadAsItIsWritten(text: String) {
        let code = Failure.Code(rawValue: text)
        #expect(code.rawValue == text)
        if case .unknown = code { Issue.record("\(text) is unknown") }
    }

    @Test(arguments: ["", "camera-eaten-by-a-bear", "camera-error", "camera-error+5", "camera-error-06", "Usage"])
    func codesOfALaterVersionAreKept(text: String) {
        #expect(Failure.Code(rawValue: text) == .unknown(text))
        #expect(Failure.Code(json: .string(text))?.json == .string(text))
    }

    @Test func codesHaveTheExitCodesOfTheContract() {
        func exit(_ code: Failure.Code) -> Int32 { Failure(code, "cannot try", why: "it is a test").exitCode }
        #expect(exit(.own(.usage)) == 64)
        #expect(exit(.camera(.timeout)) == 69)
        #expect(exit(.own(.spoolFull)) == 74)
        #expect(exit(.store(.timeout)) == 75)
        #expect(exit(.camera(.keyChanged)) == 77)
        #expect(exit(.store(.credentials)) == 77)
        #expect(exit(.own(.settings)) == 78)
    }

    @Test func aCauseSaysCallAndNumber() {
        let failure = Failure(.own(.state), "cannot write", why: "full", cause: SystemError("rename", number: 28))
        #expect(failure.cause.map { String(reflecting: $0) } == "rename failed with error 28, No space left on device")
    }
}
