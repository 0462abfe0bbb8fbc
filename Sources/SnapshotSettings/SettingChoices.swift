import SnapshotBase

/// The settings that are one of several words.
package protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable where RawValue == String {}

extension SettingChoice {
    package init?(setting text: String) {
        guard let choice = Self.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
            return nil
        }
        self = choice
    }
    package var settingDefault: SettingDefault { .text(rawValue) }
}

/// Which of a camera's two streams.
package enum CameraStream: String, SettingChoice { case main, sub }

/// Which redirects of a picture's address are followed.
package enum CameraFollow: String, SettingChoice {
    case off
    case sameHost = "same-host"
}

/// How to log in at a Reolink camera.
package enum CameraAuth: String, SettingChoice { case auto, token, password }

/// How a camera's video comes.
package enum CameraTransport: String, SettingChoice { case auto, tcp, udp }

/// Where pictures go.
package enum StorageBackend: String, SettingChoice { case s3, filesystem, http }

/// What a full spool gives up.
package enum SpoolKeep: String, SettingChoice { case newest, thin }

/// Where the bucket's name stands in an address.
package enum S3Addressing: String, SettingChoice { case auto, path, virtual }

/// The checksum that goes with an object. SigV4 signs one already; buckets with Object Lock want another header.
package enum S3Checksum: String, SettingChoice {
    /// The one that the store asks for, once it has.
    case auto
    case md5, sha256, none
}

/// How S3 encrypts an object.
package enum S3Encryption: String, SettingChoice {
    case s3 = "AES256"
    case kms = "aws:kms"
    case doubleKMS = "aws:kms:dsse"
}

/// The ACLs that S3 has names for.
package enum S3ACL: String, SettingChoice {
    case `private`
    case publicRead = "public-read"
    case publicReadWrite = "public-read-write"
    case authenticatedRead = "authenticated-read"
    case awsExecRead = "aws-exec-read"
    case bucketOwnerRead = "bucket-owner-read"
    case bucketOwnerFullControl = "bucket-owner-full-control"
    case logDeliveryWrite = "log-delivery-write"
}

/// How a picture is sent.
package enum UploadMethod: String, SettingChoice { case post, put }

/// How a picture is put into a request.
package enum UploadFormat: String, SettingChoice { case multipart, raw, json }

/// What becomes of a stream's sound.
package enum StreamAudio: String, SettingChoice { case auto, none }
