import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

package struct S3Credentials: Equatable, Sendable {
    package var accessKey: String
    package var secretKey: String
    package var sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String?) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }
}

package struct S3Settings: Sendable {
    package var credentials: S3Credentials
    package var bucket: String
    package var prefix: String
    package var region: String
    /// nil: AWS.
    package var endpoint: URLParts?
    package var isPathStyle: Bool
    package var checksum: S3Checksum
    package var objects: S3ObjectSettings
    package var authorities: String?
    package var proxies: Proxies

    package init(_ settings: Settings) throws(Failure) {
        guard let bucket = try settings[Key.s3Bucket] else {
            throw .settings(
                "S3_BUCKET is not set", why: "STORAGE_BACKEND=s3 needs it",
                hint: "set S3_BUCKET=name-of-the-bucket")
        }
        guard bucket.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#%@:\"<>".utf8.contains($0) }),
            bucket.utf8.count <= 255, !bucket.hasPrefix("."), bucket[...].range(of: "..") == nil
        else {
            throw settings.refusal(
                Key.s3Bucket, rule: "must be a bucket's name alone, without s3:// or path")
        }
        self.bucket = bucket
        prefix = try settings.valueOrEmpty(Key.s3Prefix)
        guard !hasTraversal(prefix), prefix.utf8.first != UInt8(ascii: "/"), prefix.utf8.count <= 512 else {
            throw .settings(
                "refused", "S3_PREFIX='\(prefix.printable(limit: 80))'",
                why: "must not begin with '/' nor contain '..'")
        }
        if let flaw = unexpandedFlaw(in: prefix, isPath: false) {
            throw settings.refusal(Key.s3Prefix, rule: flaw.rule, hint: flaw.hint)
        }
        let fallbackRegion = try settings[Key.awsDefaultRegion]
        region = try settings[Key.awsRegion] ?? fallbackRegion
        guard region.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 47 }), region.utf8.count <= 64 else {
            throw .settings(
                "refused", "AWS_REGION='\(region.printable(limit: 80))'",
                why: "must be a region's name, e.g. eu-central-1")
        }
        let addressing = try settings[Key.s3Addressing]
        endpoint = try Self.endpoint(settings, without: bucket, addressing)
        switch addressing {
        case .path: isPathStyle = true
        case .virtual: isPathStyle = false
        // A dot in the name would leave the certificate's wildcard.
        case .auto: isPathStyle = endpoint != nil || bucket.utf8.contains(UInt8(ascii: "."))
        }
        checksum = try settings[Key.s3Checksum]
        objects = try S3ObjectSettings(settings)
        authorities = try authorityFile(settings, first: Key.awsCABundle)
        proxies = try Proxies(settings)
        credentials = try Self.credentials(settings)
    }

    /// What a learned region belongs to.
    package var place: String { "\(endpoint?.withoutUser ?? "aws")/\(bucket)" }

    private static func endpoint(
        _ settings: Settings, without bucket: String, _ addressing: S3Addressing
    ) throws(Failure) -> URLParts? {
        for key in [Key.s3EndpointURL, Key.awsEndpointURLS3, Key.awsEndpointURL] {
            guard let url = try settings[key] else { continue }
            guard let parts = URLParts(url),
                parts.user == nil, !parts.target.utf8.contains(UInt8(ascii: "?"))
            else {
                throw settings.refusal(
                    key, rule: "must be a URL such as https://s3.example.org, without user and query")
            }
            if let hint = parts.withoutBucket(bucket, isServersName: addressing == .path) {
                throw settings.refusal(
                    key, rule: "must be the address without the bucket, which S3_BUCKET names", hint: hint)
            }
            return parts
        }
        return nil
    }

    private static func credentials(_ settings: Settings) throws(Failure) -> S3Credentials {
        let key = try settings[Key.awsAccessKeyID]
        let secret = try settings[Key.awsSecretAccessKey]
        if let key, let secret {
            let token = try settings[Key.awsSessionToken]
            for (name, text) in [("AWS_ACCESS_KEY_ID", key), ("AWS_SESSION_TOKEN", token ?? "")]
            where !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
                throw .settings("refused", "\(name)=(secret)", why: "must be printable ASCII without spaces")
            }
            return S3Credentials(accessKey: key, secretKey: secret, sessionToken: token)
        }
        if key != nil || secret != nil {
            let missing = key == nil ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"
            throw .settings(
                "\(missing) is not set", why: "its other half is", hint: "set both, or neither and a profile")
        }
        return try sharedCredentials(settings)
    }

    private static func sharedCredentials(_ settings: Settings) throws(Failure) -> S3Credentials {
        let profile = try settings[Key.awsProfile]
        let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        var path = try settings[Key.awsSharedCredentialsFile]
        if path == nil, let home = settings.context.environment["HOME"] { path = home + "/.aws/credentials" }
        guard let path, settings.isHeld(path) || fileExists(path) else {
            throw .settings(
                "no S3 credentials", why: "neither settings nor \(path ?? "a credentials file") hold any",
                hint: hint)
        }
        let text: [UInt8]
        do { text = try settings.contents(of: path, limit: 1 << 20) } catch {
            throw .settings("cannot read credentials file", path, why: "\(error)", hint: hint)
        }
        let section = profileSection(profile, in: String(decoding: withoutByteOrderMark(text), as: UTF8.self))
        guard let section else {
            throw .settings(
                "no profile '\(profile.printable(limit: 64))' in", path, why: "AWS_PROFILE names it",
                hint: hint)
        }
        guard let key = section["aws_access_key_id"], let secret = section["aws_secret_access_key"],
            !key.isEmpty, !secret.isEmpty
        else {
            throw .settings(
                "no keys for profile '\(profile.printable(limit: 64))' in", path,
                why: "aws_access_key_id or aws_secret_access_key is missing", hint: hint)
        }
        let token = section["aws_session_token"]
        for secret in [secret, token ?? ""] { Secrets.ofThisRun.note(secret) }
        return S3Credentials(accessKey: key, secretKey: secret, sessionToken: token)
    }
}

extension URLParts {
    /// What to set instead, where an endpoint names the bucket as well; nil where it doesn't.
    /// - Parameter isServersName: a host that begins like the bucket is called so: someone said that paths are used.
    fileprivate func withoutBucket(_ bucket: String, isServersName: Bool) -> String? {
        var path = target[...]
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        if percentDecoded(path.cutAtLast("/")?.1 ?? path) == bucket {
            let rest = path.cutAtLast("/")?.0 ?? ""
            return "set it to \(scheme)://\(authority)\(rest)"
        }
        let start = bucket.lowercased() + "."
        guard authority.lowercased().hasPrefix(start) else { return nil }
        let server = authority.dropFirst(start.utf8.count)
        let isS3 = server.hasPrefix("s3.") || server.hasPrefix("s3-")
        // What is left is a server's name, not a home network's ending.
        let mayBeServer = server.utf8.contains(UInt8(ascii: ".")) || server.hasPrefix("localhost")
        guard isS3 || mayBeServer && !isServersName else { return nil }
        return "set it to \(scheme)://\(server)\(target)"
            + (isS3 ? "" : "; if that is the server's own name, set S3_ADDRESSING=path")
    }
}

/// The values of one `[profile]` of an AWS credentials file; nil where there is no such profile.
func profileSection(_ profile: String, in text: String) -> Named<String>? {
    var values: Named<String>?
    var isInside = false
    for line in text.split(whereSeparator: \.isNewline) {
        let line = line.trimmed
        if line.isEmpty || line.first == "#" || line.first == ";" { continue }
        if line.first == "[", let close = line.firstIndex(of: "]") {
            isInside = line[line.index(after: line.startIndex)..<close].trimmed == profile
            if isInside, values == nil { values = [:] }
        } else if isInside, let equals = line.firstIndex(of: "=") {
            values?[line[..<equals].trimmed.lowercased()] = String(line[line.index(after: equals)...].trimmed)
        }
    }
    return values
}
