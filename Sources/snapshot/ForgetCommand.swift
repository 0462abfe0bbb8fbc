import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

struct ForgetCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Remove from health and the pages a camera that no longer exists.",
        discussion: """
            Nothing is deleted: the camera's folder below STATE_PATH moves to STATE_PATH/forgotten, with state, pins, the \
            pictures in its spool and whatever else lies there. It can be moved back. \
            A camera without a folder of its own has its \
            state in STATE_PATH itself; then only the state's files and the spool move. Settings, and pictures and \
            recordings elsewhere, stay where they are. The command is refused while the camera's timer or relay is \
            enabled, and while a run is under way.

            Exit code: 0 forgotten; 64 no such camera; 74 a run holds its lock, or nothing can be moved; 78 its timer or relay is enabled.
            """)

    @Argument(
        help: "The camera's name in health: NAME for snapshot@NAME.timer, CAMERA_NAME for snapshot.timer.",
        completion: .custom { _, _, _ in
            let context = ProcessContext.current()
            guard let settings = try? readSettings(path: nil, in: context), let path = try? stateDirectory(settings)
            else {
                return []
            }
            return Forget.names(statePath: path, now: context.clock.now())
        })
    var name: String

    @OptionGroup var options: SettingsOptions

    func run(in context: ProcessContext) throws {
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) -> Int32 in
            let settings = try options.read(in: context).asOwner(makesState: false, readsSecrets: false)
            let result = try Forget(name, statePath: stateDirectory(settings), now: context.clock.now()).run()
            writeText(to: 1, "\(name) is forgotten; its state is now \(result.folder)\n")
            if result.waiting > 0 {
                let pictures = result.waiting == 1 ? "1 picture" : "\(grouped(result.waiting)) pictures"
                log.warn("\(pictures) that never reached the store: \(result.folder)/spool")
            }
            return 0
        }
    }
}
