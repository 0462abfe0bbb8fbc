import Glibc

private let subject: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_SUBJECT").map { String(cString: $0) } ?? ""
    let all = subjects.merging(relaySubjects) { $1 }
    guard let found = all[name] else {
        print("FUZZ_SUBJECT is one of: \(all.keys.sorted().joined(separator: " "))")
        exit(64)
    }
    return found
}()

/// What libFuzzer calls.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    subject(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
