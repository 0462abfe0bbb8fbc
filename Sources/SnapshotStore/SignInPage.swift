import SnapshotBase
import SnapshotHTTP

extension StoreFailure {
    /// A captive portal or proxy responded with a page of its own.
    static func signInPage(_ response: HTTPResponse, address: String, setting: String) -> StoreFailure {
        let why =
            response.isCompressed
            ? "its answer is compressed, so it may be a sign-in page" : "a sign-in page answered instead of the store"
        return notFromStore(why, response, address: address, setting: setting)
    }

    /// A response that doesn't come from the store, whatever its status.
    static func notFromStore(
        _ why: String, _ response: HTTPResponse, address: String, setting: String
    ) -> StoreFailure {
        StoreFailure(
            Failure(
                .store(.answer), "bad answer from store", address,
                why: "\(why) (HTTP status \(response.status))",
                hint: "sign in to this network, or check \(setting); https keeps others from answering"), .giveUp)
    }
}
