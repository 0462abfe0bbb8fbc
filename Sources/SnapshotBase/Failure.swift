import Glibc

/// An error for the user at the terminal, shown as `<what> <which>: <why>` with an optional hint.
///
/// Code decides by `kind` and `code`, never by the text. No field may hold a secret.
package struct Failure: Error, Sendable, CustomStringConvertible {
    /// The part of the work that failed; it decides the exit code.
    package enum Kind: String, Sendable {
        case usage, settings, camera, cameraRefused, state, store, storeRefused, spool
    }

    package var kind: Kind
    package var code: Code
    /// The operation that failed, e.g. `cannot reach camera`.
    package var what: String
    /// The subject of the operation, e.g. a host or a path; may be empty.
    package var which: String
    package var why: String
    package var hint: String?
    /// The underlying error, for `--verbose`; its description holds no secret.
    package var cause: (any Error)?
    /// Whether more refused logins may lock the account: the response mentions a lock, or few remaining attempts.
    package var warnsOfLock = false
    /// The key of the setting whose value is refused.
    package var setting: String?

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

    /// The documented exit code, from sysexits.h where one fits.
    package var exitCode: Int32 {
        switch kind {
        case .usage: 64
        case .camera: 69
        case .state, .spool: 74
        case .store: 75
        case .cameraRefused, .storeRefused: 77
        // Where the folder of a settings file, or of a file that settings name, hangs, a later run may read it.
        case .settings: isHang ? 75 : 78
        }
    }

    /// Whether the failure is that a folder hangs.
    package var isHang: Bool { (cause as? SystemError)?.number == ETIME }

    /// A failure with the code `settings`.
    package static func settings(
        _ what: String, _ which: String = "", why: String, hint: String? = nil, cause: SystemError? = nil
    ) -> Failure {
        Failure(.own(.settings), what, which, why: why, hint: hint, cause: cause)
    }
}
