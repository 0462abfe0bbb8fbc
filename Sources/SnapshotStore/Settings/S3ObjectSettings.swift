import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The headers that describe each object to S3: encryption, storage class, tags, ACL, metadata.
package struct S3ObjectSettings: Sendable {
    /// Headers that are the same for all objects.
    private let fixed: [(name: String, value: String)]
    private let tags: [NamedTemplates.Entry]
    private let metadata: NamedTemplates
    package let neverOverwrites: Bool

    package init(_ settings: Settings) throws(Failure) {
        var fixed = try Self.encryption(settings)
        if let name = try settings[Key.s3StorageClass] {
            guard
                name.utf8.allSatisfy({ $0 == 95 || $0 == 45 || (48...57).contains($0) || (65...90).contains($0 & 0xDF) }
                )
            else { throw settings.refusal(Key.s3StorageClass, rule: "must be letters, digits, - and _") }
            fixed.append(("x-amz-storage-class", name))
        }
        if let acl = try settings[Key.s3ACL] { fixed.append(("x-amz-acl", acl.rawValue)) }
        neverOverwrites = try settings[Key.s3IfNoneMatch]
        if neverOverwrites { fixed.append(("if-none-match", "*")) }
        self.fixed = fixed
        tags = try Self.tags(settings)
        metadata = try NamedTemplates(fields: Key.s3Metadata, of: settings)
        for entry in metadata.entries {
            let name = entry.name.lowercased()
            guard name.utf8.allSatisfy({ $0 == 45 || $0 == 95 || (48...57).contains($0) || (97...122).contains($0) })
            else {
                throw settings.refusal(Key.s3Metadata, rule: "must have names of letters, digits, - and _")
            }
            guard !["camera", "captured-at", "sha256", "clock"].contains(name) else {
                throw settings.refusal(Key.s3Metadata, rule: "must not set \(name), which every picture has already")
            }
        }
    }

    /// All headers for `object`; they are signed like the others.
    func headers(for object: StoredObject) -> [(name: String, value: String)] {
        var headers = fixed
        if !tags.isEmpty {
            let pairs = tags.map { percentEncoded($0.name) + "=" + percentEncoded($0.value.text(for: object)) }
            headers.append(("x-amz-tagging", pairs.joined(separator: "&")))
        }
        for entry in metadata.entries {
            headers.append(("x-amz-meta-\(entry.name.lowercased())", headerText(entry.value.text(for: object))))
        }
        return headers
    }

    /// The part of `StoreKind.fingerprint` for these settings.
    var fingerprint: String { "\(fixed.map { "\($0.name)=\($0.value)" }) \(tags) \(metadata.entries)" }

    /// What bucket policies most often require and these settings lack, as names of settings.
    var unmetDemands: String {
        let names = [
            ("x-amz-server-side-encryption", "S3_SSE"), ("x-amz-acl", "S3_ACL"),
            ("x-amz-storage-class", "S3_STORAGE_CLASS"),
        ]
        let missing =
            names.filter { name, _ in !fixed.contains { $0.name == name } }.map(\.1) + (tags.isEmpty ? ["S3_TAGS"] : [])
        return missing.joined(separator: ", ")
    }

    private static func encryption(_ settings: Settings) throws(Failure) -> [(name: String, value: String)] {
        let kind = try settings[Key.s3SSE]
        var headers = kind.map { [(name: "x-amz-server-side-encryption", value: $0.rawValue)] } ?? []
        if let key = try settings[Key.s3SSEKMSKeyID] {
            guard kind == .kms || kind == .doubleKMS else {
                throw settings.refusal(Key.s3SSEKMSKeyID, rule: "goes with S3_SSE=aws:kms or aws:kms:dsse")
            }
            guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw settings.refusal(Key.s3SSEKMSKeyID, rule: "must be a key's id or ARN, without spaces")
            }
            headers.append(("x-amz-server-side-encryption-aws-kms-key-id", key))
        }
        if let isOn = try settings[Key.s3BucketKey] {
            guard kind == .kms else {
                throw settings.refusal(Key.s3BucketKey, rule: "goes with S3_SSE=aws:kms")
            }
            headers.append(("x-amz-server-side-encryption-bucket-key-enabled", isOn ? "true" : "false"))
        }
        return headers
    }

    /// `a=b&c=d`; percent-encoded text is decoded.
    private static func tags(_ settings: Settings) throws(Failure) -> [NamedTemplates.Entry] {
        guard let text = try settings[Key.s3Tags] else { return [] }
        var tags: [NamedTemplates.Entry] = []
        for piece in text[...].cut(at: "&") where !piece.trimmed.isEmpty {
            let (name, value) = piece.cutAtFirst("=") ?? (piece, "")
            func decoded(_ text: Substring) -> String { percentDecoded(text.trimmed) ?? String(text.trimmed) }
            do throws(FieldTemplate.UnknownField) {
                tags.append(NamedTemplates.Entry(name: decoded(name), value: try FieldTemplate(decoded(value))))
            } catch {
                throw settings.refusal(Key.s3Tags, rule: error.rule)
            }
        }
        guard tags.count <= 10, !tags.contains(where: { $0.name.isEmpty || $0.name.unicodeScalars.count > 128 }),
            Set(tags.map(\.name)).count == tags.count
        else {
            throw settings.refusal(Key.s3Tags, rule: "must be a=b&c=d, at most ten, unique names of 1–128 characters")
        }
        return tags
    }
}
