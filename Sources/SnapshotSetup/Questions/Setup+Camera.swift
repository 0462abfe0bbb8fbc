import SnapshotBase
import SnapshotCheck
import SnapshotDiscover
import SnapshotSettings

/// The first question: which camera, and how to log in.
extension Setup {
    mutating func askCamera() throws(SetupEnd) {
        terminal.say("\nThe camera\n")
        let found = discover()
        var address = draft.cameraAddress ?? found.first?.cameraAddress ?? ""
        while true {
            let given = try terminal.ask("number, address or URL", default: address)
            let number = Int(decimal: given)
            let device = number.flatMap { number in number > 0 ? found.dropFirst(number - 1).first : nil }
            guard number == nil || device != nil else {
                terminal.say("the list has no camera of that number\n")
                continue
            }
            let answer = device?.cameraAddress ?? given
            guard try take(answer, device), try askLogin() else { continue }
            if try tryCamera() { return }
            address = answer
        }
    }

    /// Follows a camera that has another address now, recognised by its hardware address. The user confirms it before
    /// it is written.
    mutating func followCamera() {
        guard draft.isReolink, let current = draft.cameraAddress,
            let mac = (try? draft.settings()[Key.cameraMAC]).flatMap({ $0 }).flatMap({ hardwareAddress($0) })
        else { return }
        devices = Discovery(stop: context.stop).run().devices
        guard !devices.contains(where: { $0.cameraAddress == current }),
            let now = devices.first(where: { $0.mac == mac && $0.address != nil })?.cameraAddress
        else { return }
        terminal.say("the camera isn't at \(current) any more; it answers from \(now)\n")
        draft.set(Key.cameraIP, now)
        if let obstacle = tryCameraOnce() {
            terminal.say("CAMERA_IP stays \(current): \(obstacle.text)\n")
            draft.set(Key.cameraIP, current)
        }
    }

    private mutating func discover() -> [Device] {
        terminal.say("looking for cameras on the local network, 2 s\n")
        let result = Discovery(stop: context.stop).run()
        devices = result.devices
        for (index, device) in result.devices.enumerated() {
            terminal.say("  \(index + 1)  \(device.cameraAddress)  \(device.text)\n")
        }
        if result.isCut { terminal.say("  and more: only the first \(result.devices.count) are shown\n") }
        if let failure = result.failure {
            terminal.say("  \(failure)\n")
            if let hint = failure.hint { terminal.say("  hint: \(hint)\n") }
        }
        return result.devices
    }

    /// Takes the answer into the draft.
    /// - Returns: false where the question has to be asked again.
    private mutating func take(_ answer: String, _ device: Device?) throws(SetupEnd) -> Bool {
        var answer = answer
        if answer.isEmpty {
            terminal.say("the address is in the camera's app: Device Info or Network Status\n")
            return false
        }
        // The answer is the present URL, which is shown without its secrets: keep it.
        if answer == draft.cameraAddress { return true }
        if let device, device.address != nil, !device.isReolink {
            terminal.say(
                "a camera other than a Reolink needs the address of a picture or a stream; see its manual\n")
            answer = try terminal.ask("URL", default: "rtsp://\(device.cameraAddress):554/")
        }
        return try keeping { draft throws(Failure) in try draft.setCamera(answer) }
    }

    private mutating func askLogin() throws(SetupEnd) -> Bool {
        let settings = try ending { () throws(Failure) in try draft.settings() }
        let url = try ending { () throws(Failure) in try settings.value(Key.cameraURL)?.text } ?? ""
        let isNetwork = draft.isReolink || url.hasPrefix("http") || url.hasPrefix("rtsp")
        guard isNetwork, url[...].range(of: "@") == nil else { return true }
        let user = try ending { () throws(Failure) in try settings[Key.cameraUsername] }
        let answer = try terminal.ask("user", default: user)
        if answer != user {
            let isKept = try keeping { draft throws(Failure) in try draft.set(Key.cameraUsername.declaration, answer) }
            guard isKept else { return false }
        }
        return try askPassword()
    }

    private mutating func askPassword() throws(SetupEnd) -> Bool {
        let current = try ending { () throws(Failure) in try draft.settings()[Key.cameraPassword] }
        let password = try terminal.askSecret(
            current.isEmpty ? "password (it isn't shown)" : "password (Enter keeps the present one)")
        guard !password.isEmpty else { return true }
        return try keeping { draft throws(Failure) in try draft.set(Key.cameraPassword.declaration, password) }
    }

    /// Tries the camera, again and again if the user wants to, until a picture comes.
    /// - Returns: false to ask for another camera.
    private mutating func tryCamera() throws(SetupEnd) -> Bool {
        while true {
            guard let obstacle = tryCameraOnce() else { return true }
            if obstacle.exitCode == 77, obstacle.code != .camera(.keyChanged), obstacle.code != .camera(.pins) {
                terminal.say("each password you enter is tried once, and counts as a login attempt\n")
                // An empty answer goes back, since the same password would be refused again.
                let password = try terminal.askSecret("another password (Enter: back to the address)")
                guard !password.isEmpty else { return false }
                _ = try keeping { draft throws(Failure) in try draft.set(Key.cameraPassword.declaration, password) }
            } else {
                guard try terminal.confirm("try again", default: true) else { return false }
            }
        }
    }

    /// Tries the camera once. If it wasn't reached, which costs no login attempt, it is tried again over HTTPS.
    /// - Returns: what keeps pictures from being taken; nil if nothing does.
    mutating func tryCameraOnce() -> Finding? {
        terminal.say("trying it\n")
        var findings = trials.run(.camera, draft)
        let isUnreached = [.camera(.unreachable), .camera(.lost), .camera(.redirect)].contains(findings.obstacle?.code)
        let isPlain = draft.isReolink && (try? draft.settings()[Key.cameraUseHTTPS]) == false
        if isUnreached, isPlain {
            var secure = draft
            secure.set(Key.cameraUseHTTPS, "true")
            let others = trials.run(.camera, secure)
            if others.obstacle == nil || others.contains(where: { $0.subject == "login" }) {
                (findings, draft) = (others, secure)
            }
        }
        findings.forEach { terminal.say($0.lines(colour: terminal.colour)) }
        guard let obstacle = findings.obstacle else {
            draft.pictureBytes = findings.first { $0.subject == "picture" }?.facts["bytes"]?.integer
            noteHardwareAddress()
            return nil
        }
        return obstacle
    }

    /// Notes the hardware address, by which the camera is found when its address changes.
    private mutating func noteHardwareAddress() {
        guard draft.isReolink, let address = draft.cameraAddress.flatMap({ IPv4Address($0) }) else { return }
        guard address.number >> 24 != 127 else { return }
        var mac = devices.first { $0.address == address }?.mac ?? Neighbours().mac(of: address)
        if mac == nil, devices.isEmpty {
            devices = Discovery(targets: [address], stop: context.stop).run().devices
            mac = devices.first { $0.address == address }?.mac
        }
        if let mac { draft.set(Key.cameraMAC, mac) }
    }
}
