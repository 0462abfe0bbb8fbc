import SnapshotBase
import SnapshotHTTP

extension StoreFailure {
    /// Somebody in between answered with a page of his own.
    static func signInPage(_ response: HTTPResponse, place: String, setting: String) -> StoreFailure {
        notFromStore("a sign-in page answered instead of the store", response, place: place, setting: setting)
    }

    /// A 2xx answer that acknowledges nothing.
    static func notFromStore(
        _ why: String, _ response: HTTPResponse, place: String, setting: String
    ) -> StoreFailure {
        StoreFailure(
            Failure(
                .store(.answer), "bad answer from store", place,
                why: "\(why) (HTTP status \(response.status))",
                hint: "sign in to this network, or check \(setting); https keeps others from answering"), .giveUp)
    }
}
