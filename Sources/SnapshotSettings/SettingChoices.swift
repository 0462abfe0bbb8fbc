import SnapshotBase

/// The value of a setting that takes one of several words, regardless of case.
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

/// Which of a camera's two streams is used.
package enum CameraStream: String, SettingChoice { case main, sub }

/// Which redirects of the picture's URL are followed.
package enum CameraFollow: String, SettingChoice {
    case off
    case sameHost = "same-host"
}

/// How to log in to a Reolink camera.
package enum CameraAuth: String, SettingChoice { case auto, token, password }

/// The transport protocol of a camera's RTSP video.
package enum CameraTransport: String, SettingChoice { case auto, tcp, udp }

/// Which kind of store receives the pictures.
package enum StorageBackend: String, SettingChoice { case s3, filesystem, http }

/// What a full spool keeps: the newest pictures, or pictures of the whole time, but fewer of the older ones.
package enum SpoolKeep: String, SettingChoice { case newest, thin }

/// Whether the bucket's name is in the path or the host of the URL.
package enum S3Addressing: String, SettingChoice { case auto, path, virtual }

/// The additional checksum of an object. SigV4 already signs the content, but buckets with Object Lock require another
/// header.
package enum S3Checksum: String, SettingChoice {
    /// The checksum that the store asked for, if it did.
    case auto
    case md5, sha256, none
}

/// The server-side encryption of S3 objects.
package enum S3Encryption: String, SettingChoice {
    case s3 = "AES256"
    case kms = "aws:kms"
    case doubleKMS = "aws:kms:dsse"
}

/// The canned ACLs of S3.
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

/// The HTTP method of an upload.
package enum UploadMethod: String, SettingChoice { case post, put }

/// The form of a picture in an upload request.
package enum UploadFormat: String, SettingChoice { case multipart, raw, json }

/// Whether the relay keeps the stream's sound.
package enum StreamAudio: String, SettingChoice { case auto, none }
