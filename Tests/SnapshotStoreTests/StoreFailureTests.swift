import Glibc
import SnapshotBase
import Testing

@testable import SnapshotHTTP
@testable import SnapshotStore

@Suite struct StoreFailureTests {
    private func failure(_ status: Int) -> StoreFailure {
        var response = HTTPResponse()
        response.status = status
        return StoreFailure(status: status, response, address: "s3://b", setting: "S3_BUCKET", detail: "")
    }

    private static let statuses: [(status: Int, scope: StoreFailure.Scope, code: Failure.Code)] = [
        (400, .object, .store(.rejected)), (413, .object, .store(.rejected)),
        (422, .object, .store(.rejected)),
        (500, .unclear, .store(.error)), (502, .unclear, .store(.error)), (408, .unclear, .store(.error)),
        (429, .store, .store(.busy)), (503, .store, .store(.busy)), (401, .store, .store(.credentials)),
        (403, .store, .store(.credentials)), (301, .store, .store(.redirect)), (507, .store, .store(.rejected)),
    ]

    @Test(arguments: statuses)
    func aStatusSaysWhetherOthersFareBetter(status: Int, scope: StoreFailure.Scope, code: Failure.Code) {
        #expect(failure(status).scope == scope)
        #expect(failure(status).failure.code == code)
    }

    @Test(arguments: [
        HTTPFailure.Kind.unresolved, .unreachable, .unconnected, .timedOut, .tls, .noTLS, .pinMismatch, .cutShort,
        .tooLarge, .endless, .refused, .lost, .invalid, .noLibrary,
    ])
    func withoutAnAnswerTheStoreIsMeant(kind: HTTPFailure.Kind) {
        let cause = HTTPFailure(kind: kind, why: "why")
        let failure = StoreFailure(cause, address: "s3://b", setting: "S3_ENDPOINT_URL", usesTLS: true)
        #expect(failure.scope == .store && failure.connectionFailed)
        #expect(failure.failure.cause as? HTTPFailure == cause)
        #expect(failure.failure.exitCode == (kind == .refused ? 77 : 75))
    }

    private static let numbers: [(number: Int32, scope: StoreFailure.Scope, code: Failure.Code)] = [
        (ENAMETOOLONG, .object, .store(.rejected)), (ENOTDIR, .object, .store(.rejected)),
        (EIO, .unclear, .store(.error)), (ENOSPC, .store, .store(.full)), (EROFS, .store, .store(.denied)),
        (EACCES, .store, .store(.denied)),
    ]

    @Test(arguments: numbers)
    func aFolderSaysItByTheErrorNumber(number: Int32, scope: StoreFailure.Scope, code: Failure.Code) {
        let failure = FilesystemStore.failure(SystemError("open", number: number), path: "/p")
        #expect(failure.scope == scope && failure.failure.code == code && failure.advice == .giveUp)
    }

    @Test func noHintSpeaksOfTheSpool() {
        for status in [400, 401, 403, 413, 500, 507] {
            #expect(failure(status).failure.hint?.contains("spool") != true)
        }
    }
}
