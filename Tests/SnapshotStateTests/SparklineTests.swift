import SnapshotState
import Testing

@Suite struct SparklineTests {
    @Test(
        arguments: [
            ([0, 7], "▁█"), ([1, 2, 3, 4, 5, 6, 7], "▂▃▄▅▆▇█"), ([5, 5], "██"), ([0, 0], "▁▁"), ([nil, 3, nil], "·█·"),
            ([], ""), ([-5, 10], "▁█"), ([Int.max / 8], "█"),
        ] as [([Int?], String)])
    func barsAreToScale(values: [Int?], bars: String) { #expect(sparkline(values) == bars) }

    @Test func noShotsNoLine() { #expect(latencyLine([]) == nil) }
}
