import ArgumentParser

/// The faults to come, in order, each for a number of requests or until it is cleared.
struct FaultPlan: Sendable {
    private var entries: [PlannedFault]
    private var generator: SplitMix64
    private let rate: Double

    init(_ entries: [PlannedFault], seed: UInt64, rate: Double) {
        self.entries = entries
        generator = SplitMix64(state: seed)
        self.rate = rate
    }

    mutating func replace(with entries: [PlannedFault]) { self.entries = entries }

    var isDeaf: Bool { entries.contains { $0.fault.strikes == .connect } }

    /// The fault for a request of this kind, if any; counts it down.
    mutating func take(_ target: Fault.Target) -> Fault? {
        guard let index = entries.firstIndex(where: { $0.fault.strikes == target }) else { return nil }
        let fault = entries[index].fault
        if let count = entries[index].count {
            if count > 1 { entries[index].count = count - 1 } else { entries.remove(at: index) }
        }
        guard fault.kind == .random else { return fault }
        guard Double.random(in: 0..<1, using: &generator) < rate else { return nil }
        return Fault.Kind.drawn.randomElement(using: &generator)
    }
}

/// `NAME[:COUNT]` on the command line.
struct PlannedFault: Sendable, ExpressibleByArgument {
    let fault: Fault
    /// How many requests it still affects; nil for all.
    var count: Int?

    init(fault: Fault, count: Int?) {
        self.fault = fault
        self.count = count
    }

    init?(argument: String) {
        if let fault = Fault(name: argument) {
            self.init(fault: fault, count: nil)
        } else if let colon = argument.lastIndex(of: ":"),
            let count = Int(argument[argument.index(after: colon)...]), count > 0,
            let fault = Fault(name: String(argument[..<colon]))
        {
            self.init(fault: fault, count: count)
        } else {
            return nil
        }
    }
}

/// A small random number generator that depends on its seed only, so that a random run can be repeated.
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
