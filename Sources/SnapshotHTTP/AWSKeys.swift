/// Credentials for signing requests to AWS and compatible services.
package struct AWSKeys: Equatable, Sendable {
    package var accessKey: String
    package var secretKey: String
    package var sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String?) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
    }

    /// Whether access key and secret key aren't empty, and no text has characters that a request can't use.
    package var areSound: Bool {
        func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        return !accessKey.isEmpty && !secretKey.isEmpty && isPlain(accessKey) && isPlain(sessionToken ?? "")
            && secretKey.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
