import SnapshotBase
import SnapshotHTTP

/// The error in an S3 response's body: the texts of `<Code>`, `<Message>` and `<Region>`, wherever they are. No other
/// XML is parsed, so hostile XML does no harm.
package struct S3Error: Equatable, Sendable {
    package let code: String
    package let message: String
    package let region: String

    package init(_ body: [UInt8]) {
        let text = String(decoding: body.prefix(16384), as: UTF8.self)[...]
        guard text.range(of: "<Error") != nil else {
            (code, message, region) = ("", "", "")
            return
        }
        // An error body without a code is still an error.
        let found = xmlText(of: "Code", in: text)
        code = found.isEmpty ? "Error" : found
        message = xmlText(of: "Message", in: text)
        region = xmlText(of: "Region", in: text)
    }

    /// Code and message for a person: one line of bounded length, without secrets that the store may echo.
    package var text: String { text(hiding: .ofThisRun) }

    func text(hiding secrets: Secrets) -> String {
        "\(ForeignText(message.isEmpty ? code : "\(code): \(message)", secrets: secrets))"
    }

    /// The region that the store asks for instead; nil where the error doesn't ask for one.
    func wantedRegion(_ response: HTTPResponse, secrets: Secrets = .ofThisRun) -> String? {
        let codes = [
            "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
            "IllegalLocationConstraintException",
        ]
        guard [301, 307].contains(response.status) || codes.contains(code) else { return nil }
        let names = [response.headers["x-amz-bucket-region"] ?? "", region]
        return names.first { name in
            (1...64).contains(name.utf8.count)
                && name.utf8.allSatisfy {
                    $0 == 45 || (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0)
                } && !secrets.areIn(name)
        }
    }
}
