import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Have a camera that is gone leave health and the pages.",
        discussion: """
            Nothing is deleted: its folder below STATE_PATH moves to STATE_PATH/forgotten and can be moved back, with state, \
            pins, the pictures in its spool, and whatever else lies there. Of a camera without a folder of its own the state \
            and the spool move. Settings, and pictures and recordings elsewhere, stay where they are. It is refused while \
            the camera's timer or relay is switched on, and while a run is under way.

            Exit code: 0 forgotten; 64 no such camera; 74 a run holds its lock, or nothing can be moved; 78 it is switched on.
            """)

    @Argument(
        help: "The camera as health calls it: NAME of snapshot@NAME.timer, or CAMERA_NAME of the one without.",
        completion: .custom { _, _, _ in
            guard let settings = try? readSettings(path: nil), let path = try? stateDirectory(settings) else {
                return []
            }
            return Forget.names(statePath: path)
        })
    var name: String

    @OptionGroup var options: SettingsOptions

    func run() throws {
        let log = options.log()
        try reporting(log) { () throws(Failure) -> Int32 in
            let settings = try options.read().asOwner(makesState: false)
            let now = Now.current()
            let result = try Forget(name, statePath: stateDirectory(settings), now: now).run(now: now.wall)
            print(descriptor: 1, "\(name) is forgotten; its state is now \(result.place)\n")
            if result.waiting > 0 {
                let pictures = result.waiting == 1 ? "1 picture" : "\(grouped(result.waiting)) pictures"
                log.warn("\(pictures) that never reached the store: \(result.place)/spool")
            }
            return 0
        }
    }
}
