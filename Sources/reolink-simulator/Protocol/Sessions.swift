/// The leased tokens: a limited number, each for a limited time.
struct Sessions {
    let limit: Int
    let lease: Duration
    private var expiry: [String: ContinuousClock.Instant] = [:]

    init(limit: Int, lease: Duration) {
        self.limit = limit
        self.lease = lease
    }

    /// A fresh token; nil when all places are taken.
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

/// The account and its timeout: a few wrong passwords lock it, for right ones too.
struct Account {
    let user: String
    let password: [UInt8]
    private var wrong = 0
    private var lockedUntil: ContinuousClock.Instant?

    private static let timeout = 5
    private static let lockout = Duration.seconds(300)

    init(user: String, password: String) {
        self.user = user
        self.password = Array(password.utf8)
    }

    func isLocked(now: ContinuousClock.Instant) -> Bool { lockedUntil.map { $0 > now } ?? false }

    /// Throws the refusal that the camera would answer. Compares bytes: é in one normal form is not the other.
    mutating func check(user: String, password: [UInt8], now: ContinuousClock.Instant) throws(Refusal) {
        guard !isLocked(now: now) else { throw .locked }
        let knowsUser = user.utf8.elementsEqual(self.user.utf8)
        guard knowsUser, password == self.password else {
            wrong += 1
            let remaining = max(0, Self.timeout - wrong)
            if remaining == 0 {
                wrong = 0
                lockedUntil = now + Self.lockout
            }
            throw Refusal(knowsUser ? -7 : -27, remaining: remaining)
        }
        wrong = 0
    }
}
