/// Settings of how S3 stores and describes each object.
extension Key {
    package static let s3SSE = Setting(
        "S3_SSE", TypedSettingKind<S3Encryption>.choice, endsHoldOff: .store, "How the bucket encrypts each object.")
    package static let s3SSEKMSKeyID = Setting(
        "S3_SSE_KMS_KEY_ID", .text, otherwise: "the bucket's", secrecy: .open, endsHoldOff: .store,
        "The id or ARN of the KMS key; only with S3_SSE=aws:kms or aws:kms:dsse.")
    package static let s3BucketKey = Setting(
        "S3_BUCKET_KEY", TypedSettingKind<Bool>.flag, otherwise: "the bucket's", endsHoldOff: .store,
        "Whether a bucket key is used, which saves requests to KMS; only with S3_SSE=aws:kms.")
    package static let s3StorageClass = Setting(
        "S3_STORAGE_CLASS", .form("name of a class, such as STANDARD_IA"), otherwise: "the bucket's", secrecy: .open,
        endsHoldOff: .store,
        "The storage class of each object.")
    package static let s3Tags = Setting(
        "S3_TAGS", .freeForm("a=b&c=d, with KEY_TEMPLATE's fields in the values"), secrecy: .open, endsHoldOff: .store,
        "Tags of each object, at most ten.")
    package static let s3ACL = Setting(
        "S3_ACL", TypedSettingKind<S3ACL>.choice, endsHoldOff: .store, "The canned ACL of each object.")
    package static let s3Metadata = Setting(
        "S3_METADATA", .freeForm("name=value; name=value, with KEY_TEMPLATE's fields in the values"), secrecy: .open,
        endsHoldOff: .store,
        "More x-amz-meta- headers of each object.")
    package static let s3IfNoneMatch = Setting(
        "S3_IF_NONE_MATCH", .flag, default: false,
        "With true no existing object is overwritten; a picture whose key is taken stays in the spool.")

    static let s3Objects = [
        s3SSE.declaration, s3SSEKMSKeyID.declaration, s3BucketKey.declaration, s3StorageClass.declaration,
        s3Tags.declaration, s3ACL.declaration, s3Metadata.declaration, s3IfNoneMatch.declaration,
    ]
}
