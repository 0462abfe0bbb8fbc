/// Width and height in pixels.
struct PictureSize: Hashable, Sendable {
    let width: Int
    let height: Int

    /// Half the width and height, rounded down to even numbers, which encoders require.
    var halved: PictureSize { PictureSize(width: max(16, width / 4 * 2), height: max(16, height / 4 * 2)) }

    static let allowed = 16...7680
}

/// The picture without its APP0 (JFIF) segment, as some firmware sends it; it is still a valid JPEG.
func withoutJFIF(_ jpeg: [UInt8]) -> [UInt8] {
    guard jpeg.count > 6, jpeg[2] == 0xff, jpeg[3] == 0xe0 else { return jpeg }
    return Array(jpeg[..<2] + jpeg[(4 + Int(jpeg[4]) << 8 + Int(jpeg[5]))...])
}
