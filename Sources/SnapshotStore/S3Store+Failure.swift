import SnapshotBase
import SnapshotHTTP

/// The meaning of S3's refusals.
extension S3Store {
    static let credentialCodes: Set = [
        "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidTokenId", "TokenRefreshRequired",
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity",
    ]

    /// The access keys are refused. Temporary ones may have expired: they are renewed once, and the request repeated.
    func refusal(_ response: HTTPResponse, _ error: S3Error) -> StoreFailure {
        var failure = StoreFailure(
            status: 403, response, address: address, setting: settingToCheck(error), detail: error.text)
        if cache?.noteRefused(keys) == true { failure.advice = .retryCorrected }
        return failure
    }

    /// Refusals of an account or a bucket as a whole.
    static let accountErrors = ["AccountProblem", "AllAccessDisabled", "InvalidPayer", "NotSignedUp", "UserSuspended"]

    /// The access keys are valid (the store would say otherwise); a policy denies access, or the account is closed.
    func denied(_ response: HTTPResponse, _ error: S3Error) -> StoreFailure {
        let isClosed = Self.accountErrors.contains(error.code)
        let why = isClosed ? "the account or the bucket is closed" : "the policy doesn't allow it"
        var failure = Failure(
            .store(.denied), "store denies access to", address,
            why: "the keys are right, but \(why) (HTTP status \(response.status), \(error.text))",
            hint: isClosed
                ? "look into the account at the store: it may be unpaid, suspended or not signed up"
                : "allow s3:PutObject on \(settings.bucket)/\(settings.prefix)*; where it is allowed, the policy may demand "
                    + "one of \(settings.objects.unmetDemands)")
        failure.kind = .storeRefused
        return StoreFailure(failure, .giveUp)
    }

    func settingToCheck(_ error: S3Error) -> String {
        switch error.code {
        case let code where cache != nil && Self.credentialCodes.contains(code):
            "whether the store accepts temporary keys; new ones were requested, and refused as well"
        case "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID"
        case "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY"
        case "ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidTokenId", "TokenRefreshRequired":
            "AWS_SESSION_TOKEN"
        case "AuthorizationHeaderMalformed": "AWS_REGION"
        case "InvalidStorageClass": "S3_STORAGE_CLASS"
        case "KeyTooLongError", "InvalidObjectName": "KEY_TEMPLATE and S3_PREFIX"
        case let code where code.hasPrefix("KMS."): "S3_SSE_KMS_KEY_ID and that key's policy"
        case "": addressSetting
        default: "S3_BUCKET, S3_ENDPOINT_URL and the credentials"
        }
    }

    /// S3_IF_NONE_MATCH is set and another object has the key.
    func taken(_ key: String, _ response: HTTPResponse) -> StoreFailure {
        let failure = described(
            response, S3Error(response.body), "another object has its key, and S3_IF_NONE_MATCH forbids overwriting it",
            hint: "remove the object \(key.printable(limit: 200)), or set S3_IF_NONE_MATCH=false")
        return StoreFailure(failure, .giveUp, .object)
    }

    /// A rejection of the picture, with the reason and what the response says.
    func described(_ response: HTTPResponse, _ error: S3Error, _ why: String, hint: String?) -> Failure {
        let code: Failure.Code = error.code == "NoSuchBucket" ? .store(.bucketMissing) : .store(.rejected)
        return Failure(
            code, "store rejects picture", address,
            why: "\(why) (HTTP status \(response.status)\(error.text.isEmpty ? "" : ", " + error.text))",
            hint: hint)
    }
}
