import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// A bucket of AWS S3 or a compatible store. It uses plain PutObject with a Content-Length and a signed hash of the
/// body, and nothing that some compatible store refuses: no chunked signing, no trailing checksums, and no conditional
/// headers unless S3_IF_NONE_MATCH asks for one.
package struct S3Store: RemoteStore {
    package let settings: S3Settings
    package let client: HTTPClient
    /// The region in signatures; differs from the setting once the store has asked for another.
    private var region: String
    /// The checksum sent with every object; differs from the setting once the store has asked for another.
    private var checksum: S3Checksum
    /// The store's clock minus ours, in milliseconds, by its last response.
    package var clockOffset: Int64?
    /// Added to our clock for the dates in signatures, in milliseconds.
    private var signingOffset: Int64
    /// With S3_IF_NONE_MATCH: objects whose upload got no response, so they may exist already.
    private let unanswered: UnansweredObjects
    /// The keys that sign the next request.
    private(set) var keys: AWSKeys
    /// Provides temporary credentials; nil where the settings hold the keys.
    let cache: CredentialsCache?

    /// - Parameters:
    ///   - record: of the last run, for the region, checksum and clock learned so far.
    ///   - statePath: the folder where temporary credentials are kept; nil to keep them nowhere.
    package init(settings: S3Settings, client: HTTPClient, record: Record?, now: Now, statePath: String?) {
        self.settings = settings
        self.client = client
        let known = record?.region
        region = known?.identity == settings.identity ? known?.name ?? settings.region : settings.region
        let learned = record?.learned
        unanswered = UnansweredObjects(learned?.identity == settings.identity ? learned?.unanswered ?? [] : [])
        let isKnown = settings.checksum == .auto && learned?.identity == settings.identity
        checksum = isKnown ? S3Checksum(rawValue: learned?.checksum ?? "") ?? .auto : settings.checksum
        keys = settings.source.keys ?? AWSKeys(accessKey: "", secretKey: "", sessionToken: nil)
        let inputs = ProviderInputs(
            client: client, authorities: settings.authorities, proxies: settings.proxies,
            context: settings.context, statePath: statePath)
        cache = settings.source.keys == nil ? CredentialsCache(settings.source, inputs) : nil
        signingOffset =
            record.map { CaptureClock.offset(at: now, $0.clock, timeService: CaptureClock.timeService()) } ?? 0
    }

    package var learned: LearnedStore? {
        guard checksum != settings.checksum || !unanswered.names.isEmpty else { return nil }
        var learned = LearnedStore(identity: settings.identity)
        if checksum != settings.checksum { learned.checksum = checksum.rawValue }
        if !unanswered.names.isEmpty { learned.unanswered = unanswered.names }
        return learned
    }

    package var credentials: CredentialsStatus? { cache?.status }
    /// Whose temporary credentials are in use, and when they expire; nil where the settings hold the keys.
    package var temporaryCredentials: (holder: String, end: Timestamp?)? { cache?.holder.map { ($0, cache?.end) } }

    package mutating func prepare(_ deadline: Deadline) throws(StoreFailure) {
        guard let cache else { return }
        do throws(StoreFailure) {
            keys = try cache.keys(
                at: settings.context.clock.wall().advanced(byMilliseconds: signingOffset), deadline)
        } catch {
            if let offset = error.clockOffset { (clockOffset, signingOffset) = (offset, offset) }
            throw error
        }
    }

    package var learnedRegion: LearnedRegion? {
        region == settings.region ? nil : LearnedRegion(name: region, identity: settings.identity)
    }

    package var address: String {
        "s3://\(settings.bucket) at \(settings.endpoint?.withoutUser ?? awsHost(region: region))"
    }

    package var addressSetting: String { settings.endpoint == nil ? "AWS_REGION" : "S3_ENDPOINT_URL" }
    package var usesTLS: Bool { scheme == "https" }
    private var scheme: String { settings.endpoint?.scheme ?? "https" }

    package func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest {
        request(
            "PUT", key: object.key,
            headers: [("content-type", object.contentType)] + object.metadata.map { ("x-amz-meta-\($0)", $1) }
                + settings.objects.headers(for: object) + checksum.headers(object),
            body: object.content, sha256: object.sha256, deadline: deadline, reusesConnection: reusesConnection)
    }

    package mutating func checkResult(_ result: HTTPResult, of key: String) throws(StoreFailure) {
        if settings.objects.neverOverwrites {
            switch unanswered.meaning(of: result, to: key) {
            case .isThere: return
            case .isTaken(let response): throw taken(key, response)
            case .isOrdinary: break
            }
        }
        let response = try receive(result)
        // S3 refuses in XML. An HTML page is from a captive portal, even with status 401 or 403.
        let isAccess = [401, 403, 511].contains(response.status)
        if (200...299).contains(response.status) || isAccess, response.isPage {
            throw .signInPage(response, address: address, setting: addressSetting)
        }
        let error = S3Error(response.body)
        // S3 may send status 200 with a failure in the body: only a response without an error is an acknowledgement.
        guard (200...299).contains(response.status), error.code.isEmpty else { throw failure(response, error) }
        // Every S3 store sends the ETag of a stored object.
        guard response.headers["etag"]?.isEmpty == false else {
            throw .notFromStore(
                "it has no ETag, so it isn't from an S3 store; perhaps a sign-in page answered", response,
                address: address, setting: addressSetting)
        }
        cache?.noteAccepted()
    }

    /// A signed request for the object `key`.
    /// - Parameters:
    ///   - query: percent-encoded; may be empty.
    ///   - sha256: of the body, lower-case hexadecimal.
    package func request(
        _ method: String, key: String, query: String = "", headers: [(name: String, value: String)], body: HTTPBody,
        sha256: String, deadline: Deadline, reusesConnection: Bool = true
    ) -> HTTPRequest {
        let (base, host, path) = urlParts(of: settings.prefix + key)
        let target = query.isEmpty ? path : "\(path)?\(query)"
        let date = settings.context.clock.wall().advanced(byMilliseconds: signingOffset).amzDate
        var signed = [(name: "host", value: host), ("x-amz-content-sha256", sha256), ("x-amz-date", date)] + headers
        if let token = keys.sessionToken { signed.append(("x-amz-security-token", token)) }
        let authorization = SigV4(credentials: keys, region: region).authorization(
            method: method, target: target, headers: signed, payloadHash: sha256, date: date)

        var request = HTTPRequest(method, base + target, through: settings.proxies, deadline: deadline)
        request.headers = signed + [("authorization", authorization)]
        request.body = body
        request.trust = .authorities(file: settings.authorities)
        request.reusesConnection = reusesConnection
        return request
    }

    /// Scheme and host, the Host header, and the path, which is signed exactly as it is sent.
    private func urlParts(of key: String) -> (base: String, host: String, path: String) {
        let encoded = percentEncoded(key, also: "/")
        var authority = settings.endpoint?.authority ?? awsHost(region: region)
        var host = settings.endpoint?.hostHeader ?? authority
        var root = settings.endpoint?.target ?? ""
        if root.hasSuffix("/") { root.removeLast() }
        if settings.isPathStyle {
            root += "/" + percentEncoded(settings.bucket)
        } else {
            authority = settings.bucket + "." + authority
            host = settings.bucket + "." + host
        }
        return ("\(scheme)://\(authority)", host, "\(root)/\(encoded)")
    }

    /// The failure for a response that isn't an acknowledgement. Learns the region, the clock and the checksum from it.
    package mutating func failure(_ response: HTTPResponse, _ error: S3Error) -> StoreFailure {
        if let wanted = error.wantedRegion(response), wanted != region {
            region = wanted
            return StoreFailure(
                described(response, error, "wrong region, it wants \(wanted)", hint: nil), .retryCorrected)
        }
        if response.status == 400, settings.checksum == .auto, let wanted = checksum.wanted(by: error) {
            checksum = wanted
            return StoreFailure(
                described(response, error, "it wants a checksum", hint: "set S3_CHECKSUM=md5"), .retryCorrected)
        }
        if response.status == 400, S3Checksum.auto.wanted(by: error) != nil, settings.checksum != .auto {
            return StoreFailure(
                described(response, error, "it wants a checksum", hint: "set S3_CHECKSUM=auto"), .giveUp)
        }
        if error.code == "RequestTimeTooSkewed" {
            // Correct the time only if the response gives a credible one that this request didn't have.
            guard let offset = clockOffset, abs(offset - signingOffset) >= 1000 else {
                let why =
                    switch (response.clockOffset, clockOffset) {
                    case (nil, _): "this machine's clock is wrong"
                    case (_, nil): "its clock and this machine's differ too much to tell which is wrong"
                    default: "it finds this machine's clock wrong, though its answer has the same time"
                    }
                let whose = response.clockOffset == nil ? "" : ", the store's or this machine's"
                return StoreFailure(described(response, error, why, hint: "set the clock\(whose)"), .giveUp)
            }
            signingOffset = offset
            var failure = StoreFailure(
                described(response, error, "this machine's clock is \(offset / 1000) s off", hint: "set the clock"),
                .retryCorrected)
            failure.clockOffset = offset
            return failure
        }
        if error.code == "AccessDenied" || Self.accountErrors.contains(error.code) { return denied(response, error) }
        if Self.credentialCodes.contains(error.code) { return refusal(response, error) }
        switch error.code {
        case "NoSuchBucket":
            return StoreFailure(
                described(
                    response, error, "there is no such bucket",
                    hint: "create it, or check S3_BUCKET and S3_ENDPOINT_URL"),
                .giveUp)
        case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded":
            return StoreFailure(described(response, error, "the bucket is full", hint: "raise its quota"), .giveUp)
        case "RequestTimeout", "InternalError":
            return StoreFailure(status: 500, response, address: address, setting: "", detail: error.text)
        case "SlowDown", "ServiceUnavailable", "Throttling", "TooManyRequests", "ConditionalRequestConflict":
            return StoreFailure(status: 503, response, address: address, setting: "", detail: error.text)
        default:
            // An error in the body of a 200 response is the store's failure, not ours.
            let isLarge = error.code == "EntityTooLarge"
            let status = (200...299).contains(response.status) ? 500 : isLarge ? 413 : response.status
            let setting = (300...399).contains(status) ? "S3_ENDPOINT_URL" : settingToCheck(error)
            return StoreFailure(status: status, response, address: address, setting: setting, detail: error.text)
        }
    }
}
