// Signs requests as the S3 store does, for the tests to compare: a JSON object a line in, the Authorization header's
// value a line out.
import FoundationEssentials
import SnapshotHTTP

struct Request: Decodable {
    let method: String
    let url: String
    let headers: [String: String]
    let payloadSha256: String
    let accessKey: String
    let secretKey: String
    let sessionToken: String?
    let region: String
    let service: String
    /// `20260101T000000Z`
    let date: String

    /// The host and what follows it.
    private var parts: (host: Substring, target: Substring) {
        let rest = url.drop(while: { $0 != "/" }).dropFirst(2)
        let host = rest.prefix(while: { $0 != "/" })
        return (host, rest[host.endIndex...])
    }

    var authorization: String {
        var signed = headers.map { (name: $0.key, value: $0.value) }
        signed.append((name: "Host", value: String(parts.host)))
        signed.append((name: "x-amz-date", value: date))
        signed.append((name: "x-amz-content-sha256", value: payloadSha256))
        if let sessionToken { signed.append((name: "x-amz-security-token", value: sessionToken)) }
        let credentials = AWSKeys(
            accessKey: accessKey, secretKey: secretKey, sessionToken: sessionToken)
        return SigV4(credentials: credentials, region: region, service: service).authorization(
            method: method, target: String(parts.target), headers: signed, payloadHash: payloadSha256,
            date: date)
    }
}

let decoder = JSONDecoder()
decoder.keyDecodingStrategy = .convertFromSnakeCase
while let line = readLine() {
    let request = try decoder.decode(Request.self, from: Data(line.utf8))
    print(request.authorization)
}
