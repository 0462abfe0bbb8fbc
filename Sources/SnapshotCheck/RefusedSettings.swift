import SnapshotBase
import SnapshotCamera
import SnapshotSettings
import SnapshotStore

/// The refusals of values by the code that uses them. Of each part's settings the first refused one is reported.
package func refusals(of settings: Settings) -> [Failure] {
    [
        refusal { () throws(Failure) in _ = try CameraSettings(settings) },
        refusal { () throws(Failure) in _ = try KeyTemplate(settings) },
        refusal { () throws(Failure) in _ = try StoreKinds.read(settings) },
    ].compactMap(\.self)
}

/// The refusal of one setting by `read`; nil where it ends well or another way.
private func refusal(_ read: () throws(Failure) -> Void) -> Failure? {
    do throws(Failure) { try read() } catch { return error.setting == nil ? nil : error }
    return nil
}
