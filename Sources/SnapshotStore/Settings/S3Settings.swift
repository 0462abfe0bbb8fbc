import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotKeys
import SnapshotSettings

/// Settings of the store `s3`: the bucket, where it is, and whose keys sign the requests.
package struct S3Settings: Sendable {
    package var source: CredentialSource
    package var bucket: String
    package var prefix: String
    package var region: String
    /// nil for AWS.
    package var endpoint: URLParts?
    /// Whether the bucket is in the path instead of the host's name.
    package var isPathStyle: Bool
    package var checksum: S3Checksum
    package var objects: S3ObjectSettings
    /// The path of a PEM file with certificate authorities; nil for the system's.
    package var authorities: String?
    package var proxies: Proxies
    package let context: ProcessContext

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
                why: "must have at most 512 bytes, not begin with '/', and have no part '.' or '..'")
        }
        if let flaw = unexpandedFlaw(in: prefix, isPath: false) {
            throw settings.refusal(Key.s3Prefix, rule: flaw.rule, hint: flaw.hint)
        }
        var profiles = try AWSProfiles(settings)
        region = try Self.region(settings, &profiles)
        guard region.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 47 }), region.utf8.count <= 64 else {
            throw .settings(
                "refused", "AWS_REGION='\(region.printable(limit: 80))'",
                why: "must be a region's name, e.g. eu-central-1")
        }
        let addressing = try settings[Key.s3Addressing]
        endpoint = try Self.endpoint(
            settings, &profiles, Key.s3EndpointURL, Key.awsEndpointURLS3, Key.awsEndpointURL
        ) { parts in parts.hintAgainstBucket(bucket, isServersName: addressing == .path) }
        switch addressing {
        case .path: isPathStyle = true
        case .virtual: isPathStyle = false
        // AWS's wildcard certificate doesn't cover a host whose bucket contains a dot.
        case .auto: isPathStyle = endpoint != nil || bucket.utf8.contains(UInt8(ascii: "."))
        }
        checksum = try settings[Key.s3Checksum]
        objects = try S3ObjectSettings(settings)
        authorities = try authorityFile(settings, first: Key.awsCABundle)
        proxies = try Proxies(settings)
        context = settings.context
        source = try Self.source(settings, &profiles, region: region)
    }

    /// The endpoint and bucket, which identify the store that a learned region or checksum belongs to.
    package var identity: String { "\(endpoint?.withoutUser ?? "aws")/\(bucket)" }

    private static func region(_ settings: Settings, _ profiles: inout AWSProfiles) throws(Failure) -> String {
        for key in [Key.awsRegion.declaration, Key.awsDefaultRegion.declaration] {
            if let value = try settings.value(key) { return value.text }
        }
        return try profiles.value("region")?.text ?? Key.awsDefaultRegion.defaultValue
    }

    /// The endpoint of the first of `keys` that is set, else of the profile.
    /// - Parameter flaw: returns what to set instead, where an address is wrong.
    private static func endpoint(
        _ settings: Settings, _ profiles: inout AWSProfiles, _ keys: Setting<String?>...,
        flaw: (URLParts) -> String? = { _ in nil }
    ) throws(Failure) -> URLParts? {
        func parts(_ url: String, _ refusal: (String, String?) -> Failure) throws(Failure) -> URLParts {
            guard let parts = URLParts(url), ["http", "https"].contains(parts.scheme), parts.user == nil,
                !parts.target.utf8.contains(UInt8(ascii: "?"))
            else {
                throw refusal("must be a URL such as https://s3.example.org, without user and query", nil)
            }
            if let hint = flaw(parts) {
                throw refusal("must be the address without the bucket, which S3_BUCKET names", hint)
            }
            return parts
        }
        for key in keys {
            guard let url = try settings[key] else { continue }
            return try parts(url) { settings.refusal(key, rule: $0, hint: $1) }
        }
        guard let (url, origin) = try profiles.value("endpoint_url") else { return nil }
        return try parts(url) { rule, hint in
            .settings("refused", "endpoint_url of \(origin)", why: rule, hint: hint)
        }
    }

    /// The keys in the settings; nil where they have none.
    private static func ownKeys(_ settings: Settings) throws(Failure) -> AWSKeys? {
        let key = try settings[Key.awsAccessKeyID]
        let secret = try settings[Key.awsSecretAccessKey]
        if let key, let secret {
            let token = try settings[Key.awsSessionToken]
            for (name, text) in [("AWS_ACCESS_KEY_ID", key), ("AWS_SESSION_TOKEN", token ?? "")]
            where !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
                throw .settings("refused", "\(name)=(secret)", why: "must be printable ASCII without spaces")
            }
            return AWSKeys(accessKey: key, secretKey: secret, sessionToken: token)
        }
        guard key == nil, secret == nil else {
            let missing = key == nil ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY"
            throw .settings(
                "\(missing) is not set",
                why: "\(key == nil ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") is set, and they belong together",
                hint: "set both, or neither and use a profile")
        }
        return nil
    }

    private static func source(
        _ settings: Settings, _ profiles: inout AWSProfiles, region: String
    ) throws(Failure) -> CredentialSource {
        let own = try ownKeys(settings)
        if let provider = try IoTProvider(settings) {
            guard own == nil else {
                throw settings.refusal(
                    Key.awsIoTEndpoint,
                    rule: "excludes AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which are set, too",
                    hint: "set one or the other")
            }
            return .iot(provider)
        }
        if let own { return .keys(own) }
        let endpoint = try Self.endpoint(settings, &profiles, Key.awsEndpointURLSTS, Key.awsEndpointURL)
        guard let sts = endpoint ?? URLParts("https://" + awsHost("sts", region: region)) else {
            throw .settings("refused", "AWS_REGION", why: "must be a region's name, e.g. eu-central-1")
        }
        return try profiles.source(sts: sts, region: region)
    }
}

extension URLParts {
    /// What to set instead, where an endpoint contains the bucket as well; nil where it doesn't.
    /// - Parameter isServersName: a host that begins with the bucket's name is the server's own (S3_ADDRESSING=path).
    fileprivate func hintAgainstBucket(_ bucket: String, isServersName: Bool) -> String? {
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
        // A rest without a dot, such as `lan`, isn't a server's name but the ending of all names in a home network.
        let mayBeServer = server.utf8.contains(UInt8(ascii: ".")) || server.hasPrefix("localhost")
        guard isS3 || mayBeServer && !isServersName else { return nil }
        return "set it to \(scheme)://\(server)\(target)"
            + (isS3 ? "" : "; if that is the server's own name, set S3_ADDRESSING=path")
    }
}
