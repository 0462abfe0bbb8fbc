import SnapshotBase
import SnapshotCapture
import SnapshotDiscover
import SnapshotSettings

/// `snapshot setup`: from a fresh install to the first stored picture. Answers come from questions or options, each is
/// tried, and the files are written at the end, all or none.
package struct Setup {
    let options: SetupOptions
    let context: ProcessContext
    let terminal: Terminal
    let trials: Trials
    var draft: Draft
    /// Whether to open the page to the network; nil to leave it as it is.
    var web: Bool?
    /// The cameras that discovery has found.
    var devices: [Device] = []
    private let wasSetUp: Bool

    package init(
        _ target: Target, _ options: SetupOptions, in context: ProcessContext, terminal: Terminal, log: Log
    ) throws(Failure) {
        (self.options, self.context, self.terminal) = (options, context, terminal)
        trials = Trials(target: target, log: log)
        draft = try Draft(target, in: context)
        wasSetUp = draft.cameraAddress != nil
        web = options.web
        try Machine.checkServiceUser(of: target)
    }

    /// - Throws: `SetupEnd`; nothing has been written then, unless its failure says so.
    package mutating func run() throws(SetupEnd) -> SetupReport {
        do throws(Failure) { try options.apply(to: &draft) } catch { throw .failed(error) }
        if options.isOnlyWeb { return try finish() }
        if terminal.asks { try askMissingAnswers() } else { try tryAll() }
        return try finish()
    }

    // MARK: With questions

    private mutating func askMissingAnswers() throws(SetupEnd) {
        terminal.say("Enter takes the answer in [ ]. Ctrl-D quits, and nothing is written.\n")
        if wasSetUp, !options.hasCamera { followCamera() }
        if options.hasCamera ? tryCameraOnce() != nil : !wasSetUp { try askCamera() }
        if options.hasStore ? try tryStoreOnce() != nil : !wasSetUp { try askStore() }
        if options.interval == nil, !wasSetUp { try askInterval() }
        if web == nil, !wasSetUp { try askPage() }
        try review()
    }

    /// Shows what will be written and lets the user change it, until it is accepted.
    private mutating func review() throws(SetupEnd) {
        while true {
            let settings = try ending { () throws(Failure) in try draft.settings() }
            let store = try ending { () throws(Failure) in try CaptureSettings(settings).storeKind.location(of: "") }
            let interval = try ending { () throws(Failure) in try settings[Key.captureInterval] }
            let isOpen = web ?? Page(draft.target).isOpen
            terminal.say(
                """

                  1 camera     \(draft.cameraAddress ?? "")
                  2 pictures   \(store)
                  3 interval   \(amounts(interval))
                  4 page       \(isOpen ? "open to the network" : "for this machine alone")

                """)
            switch try terminal.ask(
                "Enter writes this to \(draft.target.settingsPath); 1 to 4 changes one, q quits", default: "")
            {
            case "": return
            case "1": try askCamera()
            case "2": try askStore()
            case "3": try askInterval()
            case "4": try askPage()
            case "q", "Q": throw .quit
            default: terminal.say("1, 2, 3, 4, q or Enter\n")
            }
        }
    }

    /// Changes the draft; a change that is refused is reported and undone.
    /// - Returns: whether the change was accepted.
    mutating func keeping(_ change: (inout Draft) throws(Failure) -> Void) throws(SetupEnd) -> Bool {
        do throws(Failure) {
            var changed = draft
            try change(&changed)
            draft = changed
            return true
        } catch {
            terminal.say("✗ \(error)\n")
            if let hint = error.hint { terminal.say("  hint: \(hint)\n") }
            return false
        }
    }

    // MARK: Without questions

    private mutating func tryAll() throws(SetupEnd) {
        if draft.cameraAddress == nil { try takeTheOnlyCamera() }
        let isOther = !options.settings.isEmpty || !options.secretFiles.isEmpty
        if !wasSetUp || options.hasCamera || isOther, let obstacle = tryCameraOnce() {
            throw .failed(obstacle.failure)
        }
        if !wasSetUp || options.hasStore || isOther, let obstacle = try tryStoreOnce() {
            throw .failed(obstacle.failure)
        }
    }

    private mutating func takeTheOnlyCamera() throws(SetupEnd) {
        let result = Discovery(stop: context.stop).run()
        devices = result.devices
        let cameras = devices.filter(\.isReolink)
        guard cameras.count == 1 else {
            if cameras.isEmpty, let failure = result.failure { throw .failed(failure) }
            throw .refused(
                "no camera is given", why: "\(counted(cameras.count, "Reolink camera")) answered",
                hint: "give --camera ADDRESS; `snapshot discover` shows the addresses")
        }
        try ending { () throws(Failure) in try draft.setCamera(cameras[0].cameraAddress) }
        guard let file = options.passwordFile else { return }
        var login = SetupOptions()
        login.passwordFile = file
        try ending { () throws(Failure) in try login.apply(to: &draft) }
    }

    // MARK: Applying

    private mutating func finish() throws(SetupEnd) -> SetupReport {
        do throws(Failure) {
            let machine = Machine(
                draft: draft, web: web, isOnlyPage: options.isOnlyWeb, trials: trials, terminal: terminal)
            return try machine.setUp()
        } catch { throw .failed(error) }
    }
}
