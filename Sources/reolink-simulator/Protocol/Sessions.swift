/// The session tokens: at most `limit`, each valid for `lease`.
struct Sessions {
    let limit: Int
    let lease: Duration
    private var expiry: [String: ContinuousClock.Instant] = [:]

    init(limit: Int, lease: Duration) {
        self.limit = limit
        self.lease = lease
    }

    /// A new token; nil when `limit` sessions are open.
    mutating func open(now: ContinuousClock.Instant) -> String? {
        guard count(now: now) < limit else { return nil }
        let token = String(UInt64.random(in: 1 << 60...UInt64.max), radix: 16)
        expiry[token] = now + lease
        return token
    }

    /// False when the token is unknown or its lease has run out.
    mutating func close(_ token: String, now: ContinuousClock.Instant) -> Bool {
        let wasOpen = isOpen(token, now: now)
        expiry[token] = nil
        return wasOpen
    }

    func isOpen(_ token: String, now: ContinuousClock.Instant) -> Bool {
        expiry[token].map { $0 > now } ?? false
    }

    mutating func count(now: ContinuousClock.Instant) -> Int {
        expiry = expiry.filter { $0.value > now }
        return expiry.count
    }
}

/// The account. `mostWrong` wrong passwords in a row lock it for `lockout`, in which even the right one is refused.
struct Account {
    let user: String
    let password: [UInt8]
    private var wrong = 0
    private var lockedUntil: ContinuousClock.Instant?

    private static let mostWrong = 5
    private static let lockout = Duration.seconds(300)

    init(user: String, password: String) {
        self.user = user
        self.password = Array(password.utf8)
    }

    func isLocked(now: ContinuousClock.Instant) -> Bool { lockedUntil.map { $0 > now } ?? false }

    /// Throws the refusal that the camera would send. Compares bytes, so é differs between Unicode normal forms.
    mutating func check(user: String, password: [UInt8], now: ContinuousClock.Instant) throws(Refusal) {
        guard !isLocked(now: now) else { throw .locked }
        let knowsUser = user.utf8.elementsEqual(self.user.utf8)
        guard knowsUser, password == self.password else {
            wrong += 1
            let remaining = max(0, Self.mostWrong - wrong)
            if remaining == 0 {
                wrong = 0
                lockedUntil = now + Self.lockout
            }
            throw Refusal(knowsUser ? -7 : -27, remaining: remaining)
        }
        wrong = 0
    }
}
