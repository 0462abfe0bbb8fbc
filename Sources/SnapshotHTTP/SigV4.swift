import SnapshotBase

/// AWS Signature Version 4 for one request. Source: AWS General Reference, "Signature Version 4 signing process"; for
/// S3 the path is signed exactly as it is sent.
package struct SigV4: Sendable {
    package var credentials: AWSKeys
    package var region: String
    package var service: String

    package init(credentials: AWSKeys, region: String, service: String = "s3") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The value of the Authorization header.
    /// - Parameters:
    ///   - target: path and query exactly as sent, percent-encoded.
    ///   - headers: the headers to sign, including `host` and `x-amz-date`.
    ///   - payloadHash: the lower-case hexadecimal SHA-256 of the body, or `UNSIGNED-PAYLOAD`.
    ///   - date: the value of `x-amz-date`, e.g. `20260121T103045Z`.
    package func authorization(
        method: String, target: String, headers: [(name: String, value: String)], payloadHash: String,
        date: String
    ) -> String {
        let (path, query) = target[...].cutAtFirst("?") ?? (target[...], "")
        let named = headers.map { (name: $0.name.lowercased(), value: collapsed($0.value)) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var signedNames = ""
        var lines = ""
        for (name, value) in named {
            signedNames += (signedNames.isEmpty ? "" : ";") + name
            lines += "\(name):\(value)\n"
        }
        let canonical =
            "\(method)\n\(path.isEmpty ? "/" : String(path))\n\(canonicalQuery(query))\n\(lines)\n\(signedNames)\n"
            + payloadHash
        let day = String(date.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let digest = hexadecimal(Crypto.sha256(Array(canonical.utf8)))
        let toSign = "AWS4-HMAC-SHA256\n\(date)\n\(scope)\n\(digest)"
        let start = Array("AWS4\(credentials.secretKey)".utf8)
        let key = [day, region, service, "aws4_request"].reduce(start) { Crypto.hmac(key: $0, $1) }
        let signature = hexadecimal(Crypto.hmac(key: key, toSign))
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(signedNames), "
            + "Signature=\(signature)"
    }

    /// The parameters as `name=value`, sorted by name, then value.
    private func canonicalQuery(_ query: Substring) -> String {
        guard !query.isEmpty else { return "" }
        let pairs = query.split(separator: "&").map { pair in
            let (name, value) = pair.cutAtFirst("=") ?? (pair, "")
            return (name: name, value: value)
        }
        return pairs.sorted {
            $0.name == $1.name
                ? $0.value.utf8.lexicographicallyPrecedes($1.value.utf8)
                : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }
}

/// Trims the value and replaces runs of blanks by one space.
private func collapsed(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 == 0x20 || $0 == 0x09 }) else { return value }
    return value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
}
