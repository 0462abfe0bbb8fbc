/// Settings of the store that receives pictures over HTTP.
extension Key {
    private static let pairs = "name=value; name=value, with KEY_TEMPLATE's fields, {key} and {filename}"

    package static let httpUploadURL = Setting(
        "HTTP_UPLOAD_URL", .webURL, secrecy: .url, endsHoldOff: .store,
        "Where pictures are sent; STORAGE_BACKEND=http needs it. May hold KEY_TEMPLATE's fields, {key} and {filename}.")
    package static let httpUploadMethod = Setting(
        "HTTP_UPLOAD_METHOD", .choice, default: UploadMethod.post, endsHoldOff: .store,
        "How pictures are sent; with put HTTP_UPLOAD_FORMAT is raw, unless it is set.")
    package static let httpUploadFormat = Setting(
        "HTTP_UPLOAD_FORMAT", TypedSettingKind<UploadFormat>.choice, otherwise: "multipart; with put: raw",
        endsHoldOff: .store,
        "multipart is a form with the picture and the fields camera, captured_at, sha256 and key; json is an object with the same members "
            + "and the picture as base64; raw is the picture alone, with X-Snapshot-… headers.")
    package static let httpUploadPart = Setting(
        "HTTP_UPLOAD_PART", .text, otherwise: "file; with json: image", secrecy: .open, endsHoldOff: .store,
        "The name of the form's part, or of the object's member, that holds the picture.")
    package static let httpUploadFields = Setting(
        "HTTP_UPLOAD_FIELDS", .freeForm(pairs), secrecy: .secret, endsHoldOff: .store,
        "More fields of the form or the object.")
    package static let httpUploadHeaders = Setting(
        "HTTP_UPLOAD_HEADERS",
        .lines("Name: value, one per line (\\n in a quoted value), with fields as in HTTP_UPLOAD_FIELDS"),
        secrecy: .secret, endsHoldOff: .store,
        "More headers of each upload, but not those that the program sets itself.")
    package static let httpAuthToken = Setting(
        "HTTP_AUTH_TOKEN", .text, secrecy: .secret, endsHoldOff: .store,
        "The Bearer token of uploads, also of the relay's pipe.")
    package static let httpClientCert = Setting(
        "HTTP_CLIENT_CERT", .path, endsHoldOff: .store,
        "The PEM file of the client certificate that the server asks for.")
    package static let httpClientKey = Setting(
        "HTTP_CLIENT_KEY", .path, otherwise: "http_client_key from systemd, else that of HTTP_CLIENT_CERT",
        endsHoldOff: .store,
        "The PEM file of the client certificate's private key, without a passphrase.")
    package static let httpSigningSecret = Setting(
        "HTTP_SIGNING_SECRET", .freeForm("whsec_… or text"), secrecy: .secret, endsHoldOff: .store,
        "Signs raw and json uploads as Standard Webhooks do, with webhook-signature.")
    package static let httpUploadAck = Setting(
        "HTTP_UPLOAD_ACK", .text,
        secrecy: .open,
        "Text that a 2xx answer must hold to be an acknowledgement; if it is unset, any 2xx answer is one, except for an HTML page over plain http."
    )

    static let http = [
        httpUploadURL.declaration, httpUploadMethod.declaration, httpUploadFormat.declaration,
        httpUploadPart.declaration, httpUploadFields.declaration, httpUploadHeaders.declaration,
        httpAuthToken.declaration, httpClientCert.declaration, httpClientKey.declaration,
        httpSigningSecret.declaration, httpUploadAck.declaration,
    ]
}
