import SnapshotBase
import SnapshotCamera
import SnapshotKeys
import SnapshotSettings
import SnapshotStore

/// Why the code that uses the settings refuses values: at most one refusal each for camera, KEY_TEMPLATE and store.
package func refusals(of settings: Settings) -> [Failure] {
    [
        refusal { () throws(Failure) in _ = try CameraSettings(settings) },
        refusal { () throws(Failure) in _ = try KeyTemplate(settings) },
        refusal { () throws(Failure) in _ = try StoreKinds.read(settings) },
    ].compactMap(\.self)
}

/// The refusal of a setting by `read`; nil where it succeeds or fails for another reason.
private func refusal(_ read: () throws(Failure) -> Void) -> Failure? {
    do throws(Failure) { try read() } catch { return error.setting == nil ? nil : error }
    return nil
}
