import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// An AWS role. STS gives its temporary credentials to a caller with other keys. Source: STS API Reference, AssumeRole.
package struct AssumedRole: Sendable {
    var arn: String
    var session: String
    var externalID: String?
    /// In seconds; nil for AWS's default.
    var duration: Int?
    /// The endpoint of STS, and the region in signatures to it.
    var endpoint: URLParts
    var region: String

    /// Error codes for a wrong clock; `SignatureDoesNotMatch` has other causes, too.
    private static let clockCodes: Set = ["RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch"]
    private static let busyCodes: Set = ["Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown"]

    var fingerprint: String {
        "\(arn) \(session) \(externalID ?? "") \(duration ?? 0) \(endpoint.withoutUser) \(region)"
    }

    private var address: String { "STS at \(endpoint.authority)" }
    private var usesTLS: Bool { endpoint.scheme == "https" }

    /// Requests the role's keys with `keys`, which may assume it. `now` is by the store's clock, as far as known.
    func assume(
        with keys: AWSKeys, _ inputs: ProviderInputs, at now: Timestamp, _ deadline: Deadline
    ) throws(StoreFailure) -> TemporaryCredentials {
        let response: HTTPResponse
        switch inputs.client.result(of: request(keys, inputs, at: now, deadline)) {
        case .response(let found): response = found
        case .failure(let failure):
            throw StoreFailure(failure, address: address, setting: "AWS_ENDPOINT_URL_STS", usesTLS: usesTLS)
                .fromCredentialService
        }
        let text = String(decoding: response.body, as: UTF8.self)[...]
        func found(_ tag: String) -> String { xmlText(of: tag, in: text, limit: 16384) }
        let new = AWSKeys(
            accessKey: found("AccessKeyId"), secretKey: found("SecretAccessKey"), sessionToken: found("SessionToken"))
        if response.status == 200, new.areSound, let end = Timestamp(expiration: found("Expiration")) {
            return TemporaryCredentials(
                new, end: end, obtained: now,
                holder: "the keys of role \(ForeignText(found("Arn").isEmpty ? arn : found("Arn")))")
        }
        throw failure(response, at: now, inputs.context.clock)
    }

    private func request(
        _ keys: AWSKeys, _ inputs: ProviderInputs, at now: Timestamp, _ deadline: Deadline
    ) -> HTTPRequest {
        var fields = [
            ("Action", "AssumeRole"), ("Version", "2011-06-15"), ("RoleArn", arn), ("RoleSessionName", session),
        ]
        if let externalID { fields.append(("ExternalId", externalID)) }
        if let duration { fields.append(("DurationSeconds", "\(duration)")) }
        let body = Array(fields.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&").utf8)
        let hash = hexadecimal(Crypto.sha256(body))
        let target = endpoint.target.isEmpty ? "/" : endpoint.target
        var headers = [
            (name: "host", value: endpoint.hostHeader), ("x-amz-date", now.amzDate), ("x-amz-content-sha256", hash),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ]
        if let token = keys.sessionToken { headers.append(("x-amz-security-token", token)) }
        let authorization = SigV4(credentials: keys, region: region, service: "sts").authorization(
            method: "POST", target: target, headers: headers, payloadHash: hash, date: now.amzDate)
        var request = HTTPRequest(
            "POST", "\(endpoint.scheme)://\(endpoint.authority)\(target)", through: inputs.proxies, deadline: deadline)
        request.headers = headers + [("authorization", authorization)]
        request.body = .bytes(body)
        request.trust = .authorities(file: inputs.authorities)
        return request
    }

    private func failure(_ response: HTTPResponse, at now: Timestamp, _ clock: SystemClock) -> StoreFailure {
        let error = S3Error(response.body)
        if let skewed = skew(response, error, at: now, clock) { return skewed }
        if Self.busyCodes.contains(error.code) { return answerFailure(503, response, error.text) }
        if (400...499).contains(response.status), response.status != 408, response.status != 429, !response.isPage {
            let failure = Failure(
                .store(.credentials), "the role is refused by", address,
                why:
                    "\(ForeignText(arn)), HTTP status \(response.status)\(error.code.isEmpty ? "" : ", \(error.text)")",
                hint: "check role_arn, external_id, and that the source's keys may assume it (sts:AssumeRole)")
            return StoreFailure(failure, .giveUp)
        }
        if response.status == 200 || response.isPage {
            return .notFromStore(
                "it isn't STS's; perhaps a sign-in page answered", response, address: address,
                setting: "AWS_ENDPOINT_URL_STS")
        }
        return answerFailure(response.status, response, error.code.isEmpty ? "" : error.text)
    }

    /// The failure for a wrong clock, with the right time; nil where our clock isn't the reason.
    private func skew(
        _ response: HTTPResponse, _ error: S3Error, at now: Timestamp, _ clock: SystemClock
    ) -> StoreFailure? {
        guard Self.clockCodes.contains(error.code),
            let offset = CaptureClock.credibleOffset(response.clockOffset, at: response.receivedAt, isVerified: usesTLS)
        else { return nil }
        let known = now.milliseconds - clock.wall().milliseconds
        guard (offset - known).magnitude > 240_000 else { return nil }
        var failure = StoreFailure(
            Failure(
                .store(.rejected), "no keys from", address,
                why: "this machine's clock is \(offset / 1000) s off (HTTP status \(response.status), \(error.text))",
                hint: "set the clock"), .retryCorrected)
        failure.clockOffset = offset
        return failure
    }

    private func answerFailure(_ status: Int, _ response: HTTPResponse, _ detail: String) -> StoreFailure {
        StoreFailure(status: status, response, address: address, setting: "AWS_ENDPOINT_URL_STS", detail: detail)
            .fromCredentialService
    }
}

extension StoreFailure {
    /// The same failure worded for the service that provides the keys. It concerns no particular object.
    var fromCredentialService: StoreFailure {
        var other = self
        other.failure.what = failure.what.replacing("store", with: "credential service")
            .replacing("rejects picture", with: "rejects the request")
        other.scope = .store
        return other
    }
}
