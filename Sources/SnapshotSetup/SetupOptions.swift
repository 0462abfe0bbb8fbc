import SnapshotBase
import SnapshotSettings

/// Answers that were given as options of the command.
package struct SetupOptions: Sendable {
    package var camera: String?
    package var username: String?
    package var passwordFile: String?
    package var folder: String?
    package var bucket: String?
    package var url: String?
    package var interval: String?
    /// Whether to open the page to the network; nil to leave it as it is.
    package var web: Bool?
    /// Other settings as KEY=VALUE, and files with secrets as KEY=FILE.
    package var settings: [String] = []
    package var secretFiles: [String] = []

    package init() {}

    /// Whether the only change is to open or close the page.
    var isOnlyWeb: Bool { web != nil && !hasAnswers }

    var hasCamera: Bool { camera != nil || username != nil || passwordFile != nil }
    var hasStore: Bool { folder != nil || bucket != nil || url != nil }
    var hasAnswers: Bool {
        hasCamera || hasStore || interval != nil || !settings.isEmpty || !secretFiles.isEmpty
    }

    /// Puts the answers into the draft, checked by the rules of their settings.
    func apply(to draft: inout Draft) throws(Failure) {
        if [folder, bucket, url].compactMap(\.self).count > 1 {
            throw Failure(
                .own(.usage), "refused", "the options", why: "only one of --folder, --s3 and --http may be given")
        }
        if let url, redactedURL(url) != url {
            throw Failure(
                .own(.usage), "refused", "--http", why: "everybody can see the command line",
                hint: "--set STORAGE_BACKEND=http --secret \(Key.httpUploadURL.key)=FILE")
        }
        for text in settings {
            let (key, value) = try Self.pair(text, of: "--set")
            guard !key.isSecret, !key.mayComeFromFile || redactedURL(value) == value else {
                throw Failure(
                    .own(.usage), "refused", "--set \(key.key)", why: "everybody can see the command line",
                    hint: "--secret \(key.key)=FILE")
            }
            try draft.set(key, value)
        }
        for text in secretFiles {
            let (key, path) = try Self.pair(text, of: "--secret")
            guard key.mayComeFromFile else {
                throw Failure(
                    .own(.usage), "refused", "--secret \(key.key)", why: "it isn't a secret",
                    hint: "give it as --set \(key.key)=VALUE")
            }
            try draft.set(key, Self.secret(in: path))
        }
        if let camera { try draft.setCamera(camera) }
        if let username { try draft.set(Key.cameraUsername.declaration, username) }
        if let passwordFile { try draft.set(Key.cameraPassword.declaration, Self.secret(in: passwordFile)) }
        if let folder { try draft.setFolder(folder) }
        if let bucket { try draft.setBucket(bucket) }
        if let url { try draft.setUpload(url) }
        if let interval { try draft.set(Key.captureInterval.declaration, interval) }
    }

    private static func pair(_ text: String, of option: String) throws(Failure) -> (SettingDeclaration, String) {
        guard let (name, value) = text[...].cutAtFirst("=") else {
            throw Failure(
                .own(.usage), "refused", "\(option) \(text.printable(limit: 40))", why: "must be KEY=VALUE")
        }
        return (try Key.named(String(name)), String(value))
    }

    private static func secret(in path: String) throws(Failure) -> String {
        func refusal(_ why: String) -> Failure {
            Failure(.own(.usage), "cannot read a secret from", path, why: why)
        }
        var bytes: [UInt8]
        do throws(SystemError) { bytes = try readNamedFile(path, limit: 65536) } catch { throw refusal("\(error)") }
        while let last = bytes.last, [10, 13].contains(last) { bytes.removeLast() }
        guard let text = String(validating: withoutByteOrderMark(bytes), as: UTF8.self) else {
            throw refusal("it isn't UTF-8 text")
        }
        guard !text.isEmpty else { throw refusal("it is empty") }
        return text
    }
}
