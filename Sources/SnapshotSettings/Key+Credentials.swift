/// The sources of S3 credentials other than the settings themselves: files of the AWS tools, and services that issue
/// temporary ones.
extension Key {
    package static let awsConfigFile = Setting(
        "AWS_CONFIG_FILE", .path, otherwise: "~/.aws/config", endsHoldOff: .store,
        "The file with profiles: region, endpoint_url, credential_process, role_arn with source_profile.")
    package static let awsEndpointURLSTS = Setting(
        "AWS_ENDPOINT_URL_STS", .webURL, otherwise: "that of AWS_ENDPOINT_URL", secrecy: .url, endsHoldOff: .store,
        "The service that gives the keys of a profile's role_arn.")
    package static let awsIoTEndpoint = Setting(
        "AWS_IOT_CREDENTIAL_ENDPOINT", .form("host, as `aws iot describe-endpoint` shows it"), secrecy: .open,
        endsHoldOff: .store,
        "AWS IoT's credential provider, which gives temporary keys for a device's certificate.")
    package static let awsIoTRoleAlias = Setting(
        "AWS_IOT_ROLE_ALIAS", .form("name of a role alias"), secrecy: .open, endsHoldOff: .store,
        "The role alias whose keys AWS IoT gives.")
    package static let awsIoTThingName = Setting(
        "AWS_IOT_THING_NAME", .form("name of a thing"), secrecy: .open, endsHoldOff: .store,
        "The thing that the certificate belongs to, if the policy names it.")
    package static let awsIoTCert = Setting(
        "AWS_IOT_CERT", .path, endsHoldOff: .store, "The PEM file of the device's certificate.")
    package static let awsIoTKey = Setting(
        "AWS_IOT_KEY", .path, otherwise: "aws_iot_key from systemd, else that of AWS_IOT_CERT", endsHoldOff: .store,
        "The PEM file of the device's private key, without a passphrase.")

    static let credentials = [
        awsConfigFile.declaration, awsEndpointURLSTS.declaration, awsIoTEndpoint.declaration,
        awsIoTRoleAlias.declaration, awsIoTThingName.declaration, awsIoTCert.declaration, awsIoTKey.declaration,
    ]
}
