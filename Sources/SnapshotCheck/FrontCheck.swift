import Glibc
import SnapshotBase
import SnapshotSettings

/// Checks the settings of `snapshot-web`, `web.env` beside the camera's. A mistake in them keeps pictures off the page,
/// but they are still taken, so no finding is a failure.
struct FrontCheck {
    let settings: Settings

    func findings() -> [Finding] {
        guard let own = settings.path, own.contains("/") else { return [] }
        let path = parentDirectory(own) + "/web.env"
        guard access(path, R_OK) == 0 else { return [] }
        do throws(Failure) {
            let front = try Settings(environment: [:], path: path)
            _ = try front.webToken()
            let isShown = try front[Key.webImages]
            guard isShown, try !settings[Key.webImages] else { return [] }
            return [
                .remark(
                    "web",
                    "\(path) asks for pictures on the status page, but \(own) doesn't let snapshot-web read them",
                    hint: "set WEB_IMAGES=true in \(own), too")
            ]
        } catch {
            return [.remark("web", "snapshot-web shows no pictures: \(error)", hint: error.hint)]
        }
    }
}
