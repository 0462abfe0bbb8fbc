import SnapshotBase

/// Why a setup ends early. Nothing has been written, unless the failure says so.
package enum SetupEnd: Error, Sendable {
    case failed(Failure)
    /// The user has quit.
    case quit

    static func refused(_ what: String, _ which: String = "", why: String, hint: String? = nil) -> SetupEnd {
        .failed(Failure(.own(.usage), what, which, why: why, hint: hint))
    }
}

/// Runs `work` and throws its failure as a `SetupEnd`.
func ending<Value>(_ work: () throws(Failure) -> Value) throws(SetupEnd) -> Value {
    do throws(Failure) { return try work() } catch { throw .failed(error) }
}
