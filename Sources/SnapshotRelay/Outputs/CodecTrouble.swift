/// The trouble of an output that can't carry the camera's codec.
enum CodecTrouble: String, TroubleCode {
    case uncarried = "output-codec"

    var words: String { "it can't carry what the camera sends" }
    var hint: String? { "set the camera to H.264 or H.265, or choose another of its streams, e.g. STREAM_SOURCE=sub" }
}
