import SnapshotBase

/// Settings of the stores, uploads and the spool.
extension Key {
    package static let storageBackend = Setting(
        "STORAGE_BACKEND", .choice, default: StorageBackend.filesystem, endsHoldOff: .store,
        "Where pictures are stored: filesystem (a folder), s3 or http.")
    package static let keyTemplate = Setting(
        "KEY_TEMPLATE",
        .freeForm(
            "path with {camera} {yyyy} {MM} {dd} {HH} {mm} {ss} {timestamp}, local {local_yyyy} … {local_ss} {offset}"),
        default: "{camera}/{yyyy}/{MM}/{dd}/{camera}_{timestamp}.jpg",
        secrecy: .open, "A picture's name in the store; times are UTC, except for the local fields.")
    package static let localStoragePath = Setting(
        "LOCAL_STORAGE_PATH", .path, default: "./snapshots", endsHoldOff: .store, "The folder of the filesystem store.")
    package static let localStorageMaxBytes = Setting(
        "LOCAL_STORAGE_MAX_BYTES", .size, "How much the folder may hold; the oldest pictures go first.")
    package static let localStorageMaxAge = Setting(
        "LOCAL_STORAGE_MAX_AGE", .duration(.seconds(1)...(.seconds(86400 * 36500))),
        "How long pictures are kept in the folder.")
    package static let localStorageMinFree = Setting(
        "LOCAL_STORAGE_MIN_FREE", .size, "How much stays free on the folder's disk; the oldest pictures go first.")
    package static let uploadAttempts = Setting(
        "UPLOAD_ATTEMPTS", .number(1...100), default: 3,
        "How many times a run tries to store its picture; only once while the store is down.")
    package static let uploadDeadline = Setting(
        "UPLOAD_DEADLINE", .duration(.milliseconds(100)...(.seconds(86400))),
        otherwise: "0.8 × CAPTURE_INTERVAL, at least 5s",
        "How long a run goes on trying to store its picture: after this time it begins no further attempt. If it is set, "
            + "it also limits the wait for the store's answer, even if UPLOAD_ANSWER is longer.")
    package static let uploadStall = Setting(
        "UPLOAD_STALL", .duration(.seconds(1)...(.seconds(3600))), default: .seconds(20),
        "An upload that makes no progress for this long is given up; one that makes progress may take 15 min.")
    package static let uploadAnswer = Setting(
        "UPLOAD_ANSWER", .duration(.seconds(1)...(.seconds(600))), default: .seconds(60),
        "How long the store may take to answer once it has the whole picture.")
    package static let spoolMaxBytes = Setting(
        "SPOOL_MAX_BYTES", .size, default: 256 << 20,
        "How much may wait for the store; SPOOL_KEEP says what a full spool drops.")
    package static let spoolMinFree = Setting(
        "SPOOL_MIN_FREE", .size, default: 64 << 20, "How much the spool leaves free on its disk.")
    package static let spoolKeep = Setting(
        "SPOOL_KEEP", .choice, default: SpoolKeep.newest,
        "What a full spool keeps: newest drops the oldest pictures; thin keeps pictures of the whole time, but fewer of the "
            + "older ones.")
    package static let uploadRate = Setting(
        "UPLOAD_RATE", .size(1024...(1 << 40)), otherwise: "no limit",
        "How many bytes a second all uploads of a run together may send, such as 200K; each still ends after 15 min.")
    package static let sslCertFile = Setting(
        "SSL_CERT_FILE", .path, otherwise: "the system's",
        "The file of certificate authorities by which uploads verify their server, and CAMERA_TLS_VERIFY=ca the camera."
    )
    package static let curlCABundle = Setting(
        "CURL_CA_BUNDLE", .path, otherwise: "that of SSL_CERT_FILE",
        "The file of certificate authorities that is used instead of SSL_CERT_FILE.")

    package static let httpsProxy = Setting(
        "HTTPS_PROXY", .form("address such as http://proxy.example.org:3128"), secrecy: .url, endsHoldOff: .store,
        "The proxy of uploads and pings over https; never of cameras.")
    package static let httpProxy = Setting(
        "HTTP_PROXY", .form("address such as http://proxy.example.org:3128"), secrecy: .url, endsHoldOff: .store,
        "The proxy of uploads and pings over http; never of cameras.")
    package static let noProxy = Setting(
        "NO_PROXY", .form("hosts, domains and networks, each also with a port, with commas between; * is all"),
        secrecy: .open, endsHoldOff: .store,
        "The hosts that are reached without a proxy.")

    static let storage = [
        storageBackend.declaration, keyTemplate.declaration, localStoragePath.declaration,
        localStorageMaxBytes.declaration, localStorageMaxAge.declaration, localStorageMinFree.declaration,
        uploadAttempts.declaration, uploadDeadline.declaration, uploadStall.declaration, spoolMaxBytes.declaration,
        spoolMinFree.declaration, spoolKeep.declaration, uploadRate.declaration, uploadAnswer.declaration,
        sslCertFile.declaration, curlCABundle.declaration, httpsProxy.declaration, httpProxy.declaration,
        noProxy.declaration,
    ]
}

/// Settings of S3 and compatible stores. Names that begin with AWS are those of the AWS tools.
extension Key {
    package static let s3Bucket = Setting(
        "S3_BUCKET", .form("name of a bucket"), secrecy: .open, endsHoldOff: .store,
        "The bucket; STORAGE_BACKEND=s3 needs it.")
    package static let s3Prefix = Setting(
        "S3_PREFIX", .freeForm("text that doesn't begin with '/', without '..'; may be empty"), default: "snapshots/",
        secrecy: .open, endsHoldOff: .store, "What is put before each key.")
    package static let s3EndpointURL = Setting(
        "S3_ENDPOINT_URL", .webURL, otherwise: "AWS's own in the region", secrecy: .url, endsHoldOff: .store,
        "The store's address.")
    package static let awsEndpointURLS3 = Setting(
        "AWS_ENDPOINT_URL_S3", .webURL, secrecy: .url, endsHoldOff: .store, "Used if S3_ENDPOINT_URL is unset.")
    package static let awsEndpointURL = Setting(
        "AWS_ENDPOINT_URL", .webURL, secrecy: .url, endsHoldOff: .store, "Used if AWS_ENDPOINT_URL_S3 is unset, too.")
    package static let s3Addressing = Setting(
        "S3_ADDRESSING", .choice, default: S3Addressing.auto, endsHoldOff: .store,
        "Where the bucket's name goes: path puts it into the URL's path, virtual into the host's name. auto is path with an "
            + "endpoint of your own, or if the bucket's name has a dot.")
    package static let s3Checksum = Setting(
        "S3_CHECKSUM", .choice, default: S3Checksum.auto,
        "One more checksum with each object, which buckets with Object Lock need; auto sends it once the store asks for it."
    )
    package static let awsAccessKeyID = Setting(
        "AWS_ACCESS_KEY_ID", .text, otherwise: "from AWS_SHARED_CREDENTIALS_FILE", secrecy: .secret,
        endsHoldOff: .store,
        "The access key; set AWS_SECRET_ACCESS_KEY, too.")
    package static let awsSecretAccessKey = Setting(
        "AWS_SECRET_ACCESS_KEY", .text, otherwise: "from AWS_SHARED_CREDENTIALS_FILE", secrecy: .secret,
        endsHoldOff: .store,
        "The secret of the access key.")
    package static let awsSessionToken = Setting(
        "AWS_SESSION_TOKEN", .text, secrecy: .secret, endsHoldOff: .store, "The token of a temporary access key.")
    package static let awsProfile = Setting(
        "AWS_PROFILE", .text, default: "default", secrecy: .open, endsHoldOff: .store,
        "The profile whose access keys are taken from AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE.")
    package static let awsSharedCredentialsFile = Setting(
        "AWS_SHARED_CREDENTIALS_FILE", .text, otherwise: "~/.aws/credentials", secrecy: .open, endsHoldOff: .store,
        "The file with access keys, if the settings have none.")
    package static let awsRegion = Setting(
        "AWS_REGION", .form("name of a region"), otherwise: "that of AWS_DEFAULT_REGION", secrecy: .open,
        endsHoldOff: .store,
        "The region of the bucket.")
    package static let awsDefaultRegion = Setting(
        "AWS_DEFAULT_REGION", .form("name of a region"), default: "us-east-1", secrecy: .open, endsHoldOff: .store,
        "Used if AWS_REGION is unset.")
    package static let awsCABundle = Setting(
        "AWS_CA_BUNDLE", .path, otherwise: "that of CURL_CA_BUNDLE",
        "The file of certificate authorities that S3 uploads trust.")

    static let s3 = [
        s3Bucket.declaration, s3Prefix.declaration, s3EndpointURL.declaration, awsEndpointURLS3.declaration,
        awsEndpointURL.declaration, s3Addressing.declaration, s3Checksum.declaration, awsAccessKeyID.declaration,
        awsSecretAccessKey.declaration, awsSessionToken.declaration, awsProfile.declaration,
        awsSharedCredentialsFile.declaration, awsRegion.declaration, awsDefaultRegion.declaration,
        awsCABundle.declaration,
    ]
}
