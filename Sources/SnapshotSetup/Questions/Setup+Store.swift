import SnapshotBase
import SnapshotCheck
import SnapshotSettings

/// The second question: where pictures are stored.
extension Setup {
    mutating func askStore() throws(SetupEnd) {
        terminal.say(
            "\nWhere pictures go: 1 a folder of this machine, 2 a bucket of S3 or a compatible store, 3 an HTTP address\n"
        )
        while true {
            let current = try ending { () throws(Failure) in try draft.settings()[Key.storageBackend] }
            let number = current == .filesystem ? "1" : current == .s3 ? "2" : "3"
            let isTaken: Bool
            switch try terminal.ask("1, 2 or 3", default: number) {
            case "1": isTaken = try askFolder()
            case "2": isTaken = try askBucket()
            case "3": isTaken = try askUpload()
            default:
                terminal.say("answer 1, 2 or 3\n")
                isTaken = false
            }
            if isTaken, try tryStore() { return }
        }
    }

    private func current(_ setting: Setting<some Sendable>) throws(SetupEnd) -> String {
        try ending { () throws(Failure) in
            let settings = try draft.settings()
            return try settings.value(setting)?.text ?? setting.declaration.defaultText ?? ""
        }
    }

    private mutating func askFolder() throws(SetupEnd) -> Bool {
        let path = try terminal.ask("folder", default: try current(Key.localStoragePath))
        return try keeping { draft throws(Failure) in try draft.setFolder(path) }
    }

    private mutating func askBucket() throws(SetupEnd) -> Bool {
        let prefix = try current(Key.s3Bucket).isEmpty ? "" : try current(Key.s3Prefix)
        let bucket = try terminal.ask(
            "bucket", default: try current(Key.s3Bucket) + (prefix.isEmpty ? "" : "/" + prefix))
        guard !bucket.isEmpty, try keeping({ draft throws(Failure) in try draft.setBucket(bucket) }) else {
            return false
        }
        let endpoint = try terminal.ask(
            "endpoint, such as https://s3.example.org (- is AWS)", default: orDash(try current(Key.s3EndpointURL)))
        guard
            try keeping({ draft throws(Failure) in
                try draft.set(Key.s3EndpointURL.declaration, endpoint == "-" ? "" : endpoint)
            })
        else { return false }
        let region = try terminal.ask("region", default: try current(Key.awsRegion))
        guard try keeping({ draft throws(Failure) in try draft.set(Key.awsRegion.declaration, region) }) else {
            return false
        }
        return try askKeys()
    }

    private mutating func askKeys() throws(SetupEnd) -> Bool {
        let hint: TerminalText = try current(Key.awsAccessKeyID).isEmpty ? "" : " (Enter keeps the present one)"
        let id = try terminal.askSecret("access key id\(hint)")
        if !id.isEmpty {
            guard try keeping({ draft throws(Failure) in try draft.set(Key.awsAccessKeyID.declaration, id) }) else {
                return false
            }
        }
        let secret = try terminal.askSecret("secret access key\(hint)")
        guard !secret.isEmpty else { return true }
        return try keeping { draft throws(Failure) in try draft.set(Key.awsSecretAccessKey.declaration, secret) }
    }

    private mutating func askUpload() throws(SetupEnd) -> Bool {
        let url = try terminal.ask(
            "address, such as https://example.org/pictures", default: try current(Key.httpUploadURL))
        guard !url.isEmpty, try keeping({ draft throws(Failure) in try draft.setUpload(url) }) else { return false }
        let token = try terminal.askSecret("token (Enter: no change)")
        guard !token.isEmpty else { return true }
        return try keeping { draft throws(Failure) in try draft.set(Key.httpAuthToken.declaration, token) }
    }

    private func orDash(_ text: String) -> String { text.isEmpty ? "-" : text }

    private mutating func tryStore() throws(SetupEnd) -> Bool {
        while true {
            guard let obstacle = try tryStoreOnce() else { return true }
            if obstacle.code == .store(.credentials) {
                _ = try askKeysAgain()
            } else {
                guard try terminal.confirm("try again", default: false) else { return false }
            }
        }
    }

    private mutating func askKeysAgain() throws(SetupEnd) -> Bool {
        try current(Key.storageBackend) == "s3" ? askKeys() : askUpload()
    }

    /// Tries the store once and prints the findings.
    /// - Returns: what keeps pictures from being stored; nil if nothing does.
    mutating func tryStoreOnce() throws(SetupEnd) -> Finding? {
        terminal.say("trying it\n")
        var findings = trials.run(.store, draft)
        draft.makesFolder = false
        if let obstacle = findings.obstacle, let path = folderToMake(obstacle) {
            draft.makesFolder = true
            findings = [.passed("storage", "\(path) is made for user \(Owner.serviceName) at the end")]
        }
        findings.forEach { terminal.say($0.lines(colour: terminal.colour)) }
        if let region = findings.first(where: { $0.result == .passed })?.facts["region"]?.string {
            draft.set(Key.awsRegion, region)
        }
        guard let obstacle = findings.obstacle else { return nil }
        if obstacle.code == .store(.denied), let policy = try policy() { terminal.say(policy) }
        return obstacle
    }

    /// The folder, if root has to create it for the service or give it away, and nobody else uses it.
    private func folderToMake(_ obstacle: Finding) -> String? {
        guard draft.target.isSystem, let path = try? draft.settings()[Key.localStoragePath],
            (try? draft.settings()[Key.storageBackend]) == .filesystem, path.hasPrefix("/"),
            obstacle.code != .store(.away), pseudoFolder(path) == nil
        else { return nil }
        let folder = ServiceFolder(path)
        return folder.canBeMade && trials.mayEnter(folder.nearest, draft) ? path : nil
    }

    /// The smallest policy that a key needs.
    private func policy() throws(SetupEnd) -> TerminalText? {
        let bucket = try current(Key.s3Bucket)
        guard try current(Key.storageBackend) == "s3", !bucket.isEmpty else { return nil }
        let settings = try ending { () throws(Failure) in try draft.settings() }
        let prefix = try ending { () throws(Failure) in try settings.valueOrEmpty(Key.s3Prefix) }
        return """
            the smallest policy that is enough for captures:
              {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject",
               "Resource":"arn:aws:s3:::\(bucket)/\(prefix)*"}]}

            """
    }
}
