import Testing
@testable import SnapshotWeb
@Test func placeholder() { #expect(Target("/")?.segments == [""]) }
