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
}
