import SnapshotBase

/// Why a setup ends before its end. Nothing has been written then, unless a failure says so.
package enum SetupEnd: Error, Sendable {
    case failed(Failure)
    /// The person has left.
    case left

    static func refused(_ what: String, _ which: String = "", why: String, hint: String? = nil) -> SetupEnd {
        .failed(Failure(.own(.usage), what, which, why: why, hint: hint))
    }
}

/// Turns a failure into the end that it is.
func ending<Value>(_ work: () throws(Failure) -> Value) throws(SetupEnd) -> Value {
    do throws(Failure) { return try work() } catch { throw .failed(error) }
}
