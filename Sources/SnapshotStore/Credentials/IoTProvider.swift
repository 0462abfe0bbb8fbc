import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// AWS IoT's credential provider, which gives the keys of a role to a device with a client certificate. Source: AWS IoT
/// Core Developer Guide, "Authorizing direct calls to AWS services using AWS IoT Core credential provider".
package struct IoTProvider: Sendable {
    let endpoint: URLParts
    let alias: String
    let thing: String?
    let certificate: ClientCertificate

    /// nil where the settings name no endpoint.
    init?(_ settings: Settings) throws(Failure) {
        guard let text = try settings[Key.awsIoTEndpoint] else {
            for key in [Key.awsIoTRoleAlias, Key.awsIoTThingName, Key.awsIoTCert, Key.awsIoTKey]
            where try settings.value(key) != nil {
                throw settings.refusal(key, rule: "needs AWS_IOT_CREDENTIAL_ENDPOINT, which isn't set")
            }
            return nil
        }
        guard let url = URLParts(text[...].range(of: "://") == nil ? "https://" + text : text), url.scheme == "https",
            url.user == nil, ["", "/"].contains(url.target)
        else {
            throw settings.refusal(
                Key.awsIoTEndpoint, rule: "must be a host such as c2example.credentials.iot.eu-central-1.amazonaws.com",
                hint: "aws iot describe-endpoint --endpoint-type iot:CredentialProvider   # shows it")
        }
        endpoint = url
        guard let alias = try settings[Key.awsIoTRoleAlias] else { throw Self.missing(Key.awsIoTRoleAlias) }
        guard let path = try settings[Key.awsIoTCert] else { throw Self.missing(Key.awsIoTCert) }
        self.alias = alias
        thing = try settings[Key.awsIoTThingName]
        for (key, value) in [(Key.awsIoTRoleAlias, alias), (Key.awsIoTThingName, thing ?? "")]
        where !value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            throw settings.refusal(key, rule: "must be printable ASCII without spaces")
        }
        // One file may hold both certificate and key.
        let keyPath = try settings[Key.awsIoTKey] ?? settings.systemdCredential(Key.awsIoTKey) ?? path
        certificate = try ClientCertificate(path, Key.awsIoTCert, key: keyPath, Key.awsIoTKey, settings)
    }

    private static func missing(_ key: Setting<String?>) -> Failure {
        .settings("\(key.key) is not set", why: "AWS_IOT_CREDENTIAL_ENDPOINT needs it")
    }

    var fingerprint: String {
        "\(endpoint.authority) \(alias) \(thing ?? "") \(certificate.identity)"
    }

    private var address: String { "AWS IoT at \(endpoint.authority)" }

    func obtain(_ inputs: ProviderInputs, at now: Timestamp, _ deadline: Deadline) throws(StoreFailure)
        -> TemporaryCredentials
    {
        let response: HTTPResponse
        switch inputs.client.result(of: request(inputs, deadline)) {
        case .response(let found): response = found
        case .failure(let failure): throw lost(failure, inputs)
        }
        let json = JSON(response.body)
        let given = json?["credentials"]
        let keys = AWSKeys(
            accessKey: given?["accessKeyId"]?.string ?? "", secretKey: given?["secretAccessKey"]?.string ?? "",
            sessionToken: given?["sessionToken"]?.string)
        let end = given?["expiration"]?.string.flatMap(Timestamp.init(expiration:))
        if response.status == 200, keys.areSound, let end {
            return TemporaryCredentials(
                keys, end: end, obtained: now,
                holder: "the keys of role alias \(alias)" + (thing.map { " as \($0)" } ?? "")
            )
        }
        throw failure(response, json)
    }

    private func request(_ inputs: ProviderInputs, _ deadline: Deadline) -> HTTPRequest {
        let path = "/role-aliases/\(percentEncoded(alias))/credentials"
        var request = HTTPRequest(
            "GET", "https://\(endpoint.authority)\(path)", through: inputs.proxies, deadline: deadline)
        if let thing { request.headers = [("x-amzn-iot-thingname", thing)] }
        request.trust = .authorities(file: inputs.authorities)
        request.certificate = certificate
        // An open connection may have been made without the certificate.
        request.reusesConnection = false
        return request
    }

    private func lost(_ failure: HTTPFailure, _ inputs: ProviderInputs) -> StoreFailure {
        let explained = failure.explained(endpoint.withoutUser, certificate, authorities: inputs.authorities)
        guard explained.kind == .certificate else {
            return StoreFailure(
                explained, address: address, setting: "AWS_IOT_CREDENTIAL_ENDPOINT", usesTLS: true
            ).fromCredentialService
        }
        return refused(explained.why)
    }

    private func failure(_ response: HTTPResponse, _ json: JSON?) -> StoreFailure {
        let setting = "AWS_IOT_CREDENTIAL_ENDPOINT"
        let words = json?["message"]?.string.map { ", \(ForeignText($0))" } ?? ""
        if (400...499).contains(response.status), response.status != 408, response.status != 429, !response.isPage {
            return refused("HTTP status \(response.status)\(words)")
        }
        if response.status == 200 || response.isPage {
            return .notFromStore(
                "it isn't AWS IoT's; perhaps a sign-in page answered", response, address: address, setting: setting)
        }
        return StoreFailure(
            status: response.status, response, address: address, setting: setting, detail: ""
        ).fromCredentialService
    }

    private func refused(_ why: String) -> StoreFailure {
        let failure = Failure(
            .store(.credentials), "the certificate or the role alias is refused by", address,
            why: why,
            hint:
                "check AWS_IOT_ROLE_ALIAS, AWS_IOT_THING_NAME, AWS_IOT_CERT and AWS_IOT_KEY, and the certificate's policy "
                + "(iot:AssumeRoleWithCertificate)")
        return StoreFailure(failure, .giveUp)
    }
}
