import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The profiles in AWS's config and credentials files. Each file is read when it is first needed.
struct AWSProfiles {
    private let settings: Settings
    /// The profile that AWS_PROFILE names.
    private let name: String
    private var config = Reading.unread
    private var credentials = Reading.unread

    /// Not an optional `Result`: resolving that generic type costs each start more than all else in this type.
    private enum Reading {
        case unread, missing
        case file(AWSFile)
        case failed(Failure)
    }

    private static let longestChain = 5
    private static let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

    init(_ settings: Settings) throws(Failure) {
        self.settings = settings
        name = try settings[Key.awsProfile]
    }

    /// A value of the profile in the config file, and where it is; nil where there is none.
    mutating func value(_ option: String) throws(Failure) -> (text: String, origin: String)? {
        let file: AWSFile?
        do throws(Failure) { file = try configFile() } catch {
            // Ignore an unreadable file unless AWS_CONFIG_FILE names it or its folder hangs: the user may not know it.
            let isNamed = try settings[Key.awsConfigFile] != nil
            guard isNamed || error.isHang else { return nil }
            throw error
        }
        guard let file, let text = file.profile(name)?[option], !text.isEmpty else { return nil }
        return (text, "profile \(name.printable(limit: 64)) in \(file.path)")
    }

    /// Where the profile's keys come from. Roles are requested from the endpoint `sts`, with `region` in signatures.
    mutating func source(sts: URLParts, region: String) throws(Failure) -> CredentialSource {
        var chain: [String] = []
        return try source(name, sts, region, &chain)
    }

    private mutating func source(
        _ profile: String, _ sts: URLParts, _ region: String, _ chain: inout [String]
    ) throws(Failure) -> CredentialSource {
        let isSource = !chain.isEmpty
        let (known, paths) = try known(profile)
        let fromCredentialsFile = try credentialsFile()?.credentials(of: profile) ?? [:]
        func refusal(_ why: String, hint: String? = nil) -> Failure {
            .settings("profile '\(profile.printable(limit: 64))' in", paths, why: why, hint: hint ?? Self.hint)
        }
        let hasKeys = known["aws_access_key_id"] != nil
        // A profile with a role may be its own source_profile: then its keys assume that role.
        if let role = known["role_arn"], !(isSource && hasKeys) {
            guard !chain.contains(profile) else { throw refusal("its source_profile leads back to it") }
            guard chain.count < Self.longestChain else {
                throw refusal("more than \(Self.longestChain) roles in a chain")
            }
            chain.append(profile)
            guard let next = known["source_profile"] else {
                let other = ["web_identity_token_file", "credential_source"].first { known[$0] != nil }
                throw refusal(
                    "its role_arn has \(other ?? "no source_profile")\(other == nil ? "" : ", which isn't supported")",
                    hint: "set source_profile")
            }
            if known["mfa_serial"] != nil { throw refusal("its role needs a one-time code (mfa_serial)") }
            let caller = try source(next, sts, region, &chain)
            return .role(try assumed(role, known, sts, region, refusal), by: caller)
        }
        if let keys = try keys(fromCredentialsFile, refusal) { return .keys(keys) }
        if let command = known["credential_process"] {
            guard let words = programWords(command), words.first?.isEmpty == false else {
                throw refusal("credential_process has an unclosed quote, a backslash at its end, or no program")
            }
            words.dropFirst().forEach(Secrets.ofThisRun.register(argument:))
            return .process(words)
        }
        if let keys = try keys(known, refusal) { return .keys(keys) }
        if let name = known.entries.map(\.name).first(where: { $0.hasPrefix("sso_") }) {
            throw refusal("\(name) needs somebody to sign in, which isn't supported")
        }
        throw .settings(
            "no keys for profile '\(profile.printable(limit: 64))' in", paths,
            why: "aws_access_key_id or aws_secret_access_key is missing", hint: "write them there, or \(Self.hint)")
    }

    private func assumed(
        _ role: String, _ known: NamedValues<String>, _ sts: URLParts, _ region: String,
        _ refusal: (String, String?) -> Failure
    ) throws(Failure) -> AssumedRole {
        for name in ["role_arn", "role_session_name", "external_id"] {
            guard (known[name] ?? "").utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw refusal("\(name) must be printable ASCII without spaces", nil)
            }
        }
        let duration = known["duration_seconds"].map { Int(decimal: $0[...]) }
        if let duration, duration.map({ (900...43200).contains($0) }) != true {
            throw refusal("duration_seconds must be 900 to 43200", nil)
        }
        return AssumedRole(
            arn: role, session: known["role_session_name"] ?? "snapshot", externalID: known["external_id"],
            duration: duration ?? nil, endpoint: sts, region: region)
    }

    /// The keys in `values`; nil where there are none.
    private func keys(_ values: NamedValues<String>, _ refusal: (String, String?) -> Failure) throws(Failure)
        -> AWSKeys?
    {
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"], !key.isEmpty,
            !secret.isEmpty
        else { return nil }
        let token = values["aws_session_token"]
        for secret in [secret, token ?? ""] { Secrets.ofThisRun.register(secret) }
        let keys = AWSKeys(accessKey: key, secretKey: secret, sessionToken: token)
        guard keys.areSound else { throw refusal("its keys must be printable ASCII without spaces", nil) }
        return keys
    }

    /// The values of a profile in both files, where the credentials file takes precedence, and the files' paths.
    private mutating func known(_ profile: String) throws(Failure) -> (NamedValues<String>, paths: String) {
        let (config, credentials) = (try configFile(), try credentialsFile())
        let files = [config, credentials].compactMap { $0 }
        guard !files.isEmpty else {
            throw .settings(
                "no S3 credentials",
                why:
                    "neither settings nor \(path(Key.awsSharedCredentialsFile, "credentials") ?? "a credentials file") holds any",
                hint: Self.hint)
        }
        let paths = files.map(\.path).joined(separator: " and ")
        let sections = [config?.profile(profile), credentials?.credentials(of: profile)].compactMap { $0 }
        guard var values = sections.first else {
            throw .settings(
                "no profile '\(profile.printable(limit: 64))' in", paths,
                why: profile == name ? "AWS_PROFILE, or its default, names it" : "a source_profile names it",
                hint: AWSFile.profiles(in: files).map { "there are \($0); or \(Self.hint)" } ?? Self.hint)
        }
        for (name, value) in sections.dropFirst().flatMap(\.entries) { values[name] = value }
        return (values, paths)
    }

    // MARK: Files

    private mutating func configFile() throws(Failure) -> AWSFile? {
        if case .unread = config { config = read(Key.awsConfigFile, "config") }
        return try Self.file(config)
    }

    private mutating func credentialsFile() throws(Failure) -> AWSFile? {
        if case .unread = credentials { credentials = read(Key.awsSharedCredentialsFile, "credentials") }
        return try Self.file(credentials)
    }

    private static func file(_ reading: Reading) throws(Failure) -> AWSFile? {
        switch reading {
        case .unread, .missing: return nil
        case .file(let file): return file
        case .failed(let failure): throw failure
        }
    }

    private func path(_ key: Setting<String?>, _ name: String) -> String? {
        (try? settings[key]) ?? settings.context.environment["HOME"].map { "\($0)/.aws/\(name)" }
    }

    private func read(_ key: Setting<String?>, _ name: String) -> Reading {
        guard let path = path(key, name) else { return .missing }
        // A config file that a setting names must exist. A missing credentials file is no error here, even if a setting
        // names it: `known` and `source` report missing keys.
        let isNamed = key.declaration.key == Key.awsConfigFile.key && (try? settings[key]) != nil
        guard isNamed || settings.mayExist(path) else { return .missing }
        do throws(SystemError) {
            let bytes = try settings.contents(of: path, limit: 1 << 20)
            return .file(AWSFile(String(decoding: withoutByteOrderMark(bytes), as: UTF8.self), path: path))
        } catch {
            if error.number == ENOENT, !isNamed { return .missing }
            let hint = error.number == EACCES ? "let this user read it, or \(Self.hint)" : error.hint(reading: path)
            return .failed(
                .settings("cannot read \(name) file", path, why: "\(error)", hint: hint ?? Self.hint, cause: error))
        }
    }
}
