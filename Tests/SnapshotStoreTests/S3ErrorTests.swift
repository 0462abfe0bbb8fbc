import SnapshotBase
import Testing

@testable import SnapshotHTTP
@testable import SnapshotStore

@Suite struct S3ErrorTests {
    private func error(_ text: String) -> S3Error { S3Error(Array(text.utf8)) }

    private func response(_ status: Int, region: String? = nil) -> HTTPResponse {
        var response = HTTPResponse()
        response.status = status
        if let region { response.headers["x-amz-bucket-region"] = region }
        return response
    }

    @Test func codeMessageAndRegionAreFoundWhereverTheyStand() {
        let found = error(
            """
            <?xml version="1.0"?>\n<Error xmlns="x"><Resource/><Message> a &lt;b&gt; &amp;lt; c</Message>
            <Region>eu-west-3</Region><Code>AuthorizationHeaderMalformed</Code></Error>
            """)
        #expect(found.code == "AuthorizationHeaderMalformed")
        #expect(found.message == "a <b> &lt; c")
        #expect(found.region == "eu-west-3")
    }

    @Test(arguments: [
        "", "<html><Code>NoSuchKey</Code></html>", "{}", "<CopyObjectResult><ETag>1</ETag></CopyObjectResult>",
    ])
    func whatIsNoErrorHasNoCode(text: String) { #expect(error(text).code.isEmpty) }

    @Test(arguments: ["<Error></Error>", "<Error><Code></Code></Error>", "<Error><Code>NeverClosed", "<Error/>"])
    func anErrorWithoutACodeIsOneAllTheSame(text: String) { #expect(error(text).code == "Error") }

    @Test func whatIsFarBehindIsNotRead() {
        let padding = String(repeating: " ", count: 16384)
        #expect(error(padding + "<Error><Code>SlowDown</Code></Error>").code.isEmpty)
        #expect(error("<Error><Code>\(String(repeating: "x", count: 600))</Code></Error>").code == "Error")
    }

    @Test func anotherRegionIsWantedOnlyWhereTheAnswerSaysSo() {
        let wrong = error("<Error><Code>PermanentRedirect</Code><Region>us-west-2</Region></Error>")
        #expect(wrong.wantedRegion(response(400), secrets: Secrets()) == "us-west-2")
        #expect(wrong.wantedRegion(response(400, region: "eu-north-1"), secrets: Secrets()) == "eu-north-1")
        #expect(error("").wantedRegion(response(301, region: "ap-south-1"), secrets: Secrets()) == "ap-south-1")
        let other = error("<Error><Code>AccessDenied</Code><Region>us-west-2</Region></Error>")
        #expect(other.wantedRegion(response(403, region: "eu-north-1"), secrets: Secrets()) == nil)
    }

    @Test(arguments: ["eu west", "a/b", "é", String(repeating: "a", count: 65), "x@evil.example"])
    func noRegionLeadsElsewhere(name: String) {
        #expect(error("").wantedRegion(response(307, region: name), secrets: Secrets()) == nil)
    }

    // MARK: Hostile bodies

    @Test(arguments: [
        (#"<!DOCTYPE x [<!ENTITY a "aaaa">]><Error><Code>&a;</Code></Error>"#, "&a;"),
        (#"<Error><Code x="1">SlowDown</Code></Error>"#, "Error"), ("<Error><code>SlowDown</code></Error>", "Error"),
        ("<Error><Code>A</Code><Code>B</Code></Error>", "A"), ("<Code>A</Code><Error>", "A"),
        ("<Error><Code><Code>A</Code></Code></Error>", "<Code>A"), ("<Errors><Code>A</Code></Errors>", "A"),
        ("\u{FEFF}<Error><Code>\n SlowDown</Code></Error>", "SlowDown"),
    ])
    func noMoreOfXMLIsUnderstood(text: String, code: String) { #expect(error(text).code == code) }

    @Test func bytesThatAreNoTextDoNoHarm() {
        #expect(S3Error([0xFF, 0xFE, 0] + Array("<Error><Code>A\u{301}</Code>".utf8)).code == "A\u{301}")
        #expect(S3Error(Array("<Error><Code>".utf8) + [0xC3, 0x28] + Array("</Code>".utf8)).code == "\u{FFFD}(")
        #expect(S3Error([UInt8](repeating: 0x3C, count: 1 << 20)).code.isEmpty)
    }

    @Test(arguments: ["a\u{1B}[31mb", "a\nb", "a\u{202E}b", "a\u{0}b"])
    func whatAPersonReadsIsOneHarmlessLine(text: String) {
        let shown = error("<Error><Code>\(text)</Code><Message>\(text)</Message></Error>").text(hiding: Secrets())
        #expect(!shown.unicodeScalars.contains { $0.value < 32 || $0 == "\u{202E}" })
        #expect(shown.hasPrefix("a") && shown.hasSuffix("b"))
    }

    @Test func aSecretIsNoRegion() {
        let secrets = Secrets()
        secrets.register("canary-secret-1")
        #expect(error("").wantedRegion(response(301, region: "canary-secret-1"), secrets: secrets) == nil)
        #expect(error("").wantedRegion(response(301, region: "eu-west-1"), secrets: secrets) == "eu-west-1")
    }
}
