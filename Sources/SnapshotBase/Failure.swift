/// What went wrong, told to the person at the terminal: `<what> <which>: <why>`, and a hint where one helps.
///
/// Callers choose by `kind` and `code`, never by the text. No field ever holds a secret.
package struct Failure: Error, Sendable, CustomStringConvertible {
    /// Which part of the work failed; it decides the exit code.
    package enum Kind: String, Sendable {
        case usage, settings, camera, cameraRefused, state, store, storeRefused, spool
    }

    package var kind: Kind
    package var code: Code
    /// The operation that failed, e.g. `cannot reach camera`.
    package var what: String
    /// Its subject, e.g. a host or a path; may be empty.
    package var which: String
    package var why: String
    package var hint: String?
    /// The error behind it, for `--verbose`; its description holds no secret.
    package var cause: (any Error)?
    /// Whether refused credentials may cost an account: the answer speaks of a lock, or of the last tries before one.
    package var warnsOfLock = false

    package init(
        _ code: Code, _ what: String, _ which: String = "", why: String, hint: String? = nil,
        cause: (any Error)? = nil
    ) {
        kind = code.kind
        self.code = code
        self.cause = cause
        self.what = what
        self.which = which
        self.why = why
        self.hint = hint
    }

    package var description: String { which.isEmpty ? "\(what): \(why)" : "\(what) \(which): \(why)" }

    /// The exit code of the contract: sysexits where they fit.
    package var exitCode: Int32 {
        switch kind {
        case .usage: 64
        case .camera: 69
        case .state, .spool: 74
        case .store: 75
        case .cameraRefused, .storeRefused: 77
        case .settings: 78
        }
    }

    package static func settings(_ what: String, _ which: String = "", why: String, hint: String? = nil)
        -> Failure
    {
        Failure(.own(.settings), what, which, why: why, hint: hint)
    }
}
