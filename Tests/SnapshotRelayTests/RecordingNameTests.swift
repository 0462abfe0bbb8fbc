import Testing

@testable import SnapshotRelay

@Suite struct RecordingNameTests {
    @Test(arguments: [
        "20260121T103045Z.mp4", "20260121T103045Z-2.mp4", "20260121T103045Z-9999.mp4",
    ])
    func ourNames(_ name: String) { #expect(RecordingName(name)?.text == name) }

    @Test(arguments: [
        "", ".mp4", "20260121T103045Z", "20260121T103045Z.mp4.tmp", "20261321T103045Z.mp4", "20260121T103045Z-1.mp4",
        "20260121T103045Z-02.mp4", "20260121T103045Z-.mp4", "20260121T103045Z2.mp4", "x0260121T103045Z.mp4",
        "20260230T103045Z.mp4", "２0260121T103045Z.mp4",
    ])
    func otherNames(_ name: String) { #expect(RecordingName(name) == nil) }

    @Test(arguments: ["x-1.mp4", "1-x.mp4", "-1-2.mp4", "1-2-3.mp4", ".mp4", "-.mp4", "7.mp4.tmp"])
    func otherNumbers(_ name: String) { #expect(NumberedName(name) == nil) }
}
