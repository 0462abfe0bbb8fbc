/// The meaning and the remedy of each reason, in Markdown, for `docs/codes.md` and the status page.
extension Health.Reason {
    package var meaning: String {
        switch self {
        case .neverCaptured: "No picture has been captured yet."
        case .noCapture: "No picture has been captured for over ten intervals."
        case .cameraCredentials:
            "The camera refuses user or password. It is asked only rarely, so that it doesn't lock the account."
        case .storeCredentials:
            "The store refuses the credentials or denies access, or `credential_process` fails. It is tried again only "
                + "rarely; pictures are spooled."
        case .stateUnreadable: "The state file can't be read, so nothing is known."
        case .stale: "The last picture was taken or stored over three intervals ago, or none was stored."
        case .spooling: "Pictures wait in the spool for the store."
        case .frozen: "The camera has sent the very same picture for `FROZEN_AFTER` captures."
        case .covered: "The picture has far fewer bytes than usual, as if the lens were covered or it were dark."
        case .clockUnsynced: "There is a sign that the clock is wrong, so capture times can't be trusted."
        case .lineSlow:
            "Taking and storing the last picture took longer than the interval, so captures in between were left out."
        case .dropped: "In the last day pictures were dropped from the spool."
        case .storeAway: "The disk of LOCAL_STORAGE_PATH isn't mounted. Pictures are spooled."
        case .storeFull:
            "LOCAL_STORAGE_MAX_BYTES or LOCAL_STORAGE_MIN_FREE can't be met, or the disk is full: deleting the oldest pictures "
                + "that snapshot stored doesn't free enough, or isn't possible."
        case .stateReset: "In the last day the state was damaged or gone, and records were lost."
        case .settingsRefused:
            "The last run ended at once, since a setting is missing or has a value that isn't allowed."
        case .relayOutput: "One of the relay's outputs doesn't work. The others go on."
        case .relayInterrupted: "No video flows through the relay at the moment."
        case .relayDown: "No video has flowed through the relay for longer than `STALL_TIMEOUT` plus a minute."
        }
    }

    package var remedy: String {
        switch self {
        case .neverCaptured:
            "`sudo snapshot setup` leads to the first picture; `snapshot check` tries everything once. After "
                + "`systemctl enable --now snapshot.timer` one is taken at every interval."
        case .noCapture:
            "`snapshot check` says what fails; `systemctl list-timers snapshot.timer` shows when the next run is due."
        case .cameraCredentials:
            "Correct CAMERA_USERNAME and CAMERA_PASSWORD; the next run tries them at once. If it was the camera that was "
                + "corrected, `snapshot check` ends the wait."
        case .storeCredentials:
            "Correct the store's credentials; the next run tries them at once. Pictures are kept meanwhile."
        case .stateUnreadable:
            "The next capture moves a damaged file aside. If only the status page says this, snapshot-web has no right to "
                + "read the file: the next capture gives it, and a STATE_PATH that isn't below /var/lib/snapshot also "
                + "needs `chmod o+rx`."
        case .stale: "`snapshot check` says why."
        case .spooling: "They are sent when the store answers again; `snapshot drain` sends all of them immediately."
        case .frozen: "Restarting the camera usually helps."
        case .covered: "Have a look at the lens."
        case .clockUnsynced: "`timedatectl` shows whether the time is synchronised."
        case .lineSlow:
            "Smaller pictures help (`CAMERA_STREAM=sub`, CAMERA_WIDTH and CAMERA_HEIGHT), or a longer CAPTURE_INTERVAL."
        case .storeAway:
            "Mount the disk: the pictures in the spool are then stored. If pictures are to go there without it: "
                + "`snapshot check --accept-folder`."
        case .storeFull:
            "Something else fills the disk, or the pictures can't be deleted, or `stored.log` in STATE_PATH can't be read: "
                + "`snapshot check` and `df -h` show which."
        case .dropped:
            "Mostly the spool was full: a larger SPOOL_MAX_BYTES, or more room on the disk, covers longer outages. "
                + "Damaged pictures are in `spool/bad`."
        case .stateReset:
            "The counters began at zero, or at those of an earlier run. A file without any valid record is kept as "
                + "`state.jsonl.bad`."
        case .settingsRefused: "`snapshot check` names the setting; the next run uses the corrected one."
        case .relayOutput, .relayInterrupted, .relayDown:
            "`journalctl -u snapshot-relay` tells more, and `systemctl status snapshot-relay` whether it runs. For a relay "
                + "that isn't wanted any more: `systemctl disable --now snapshot-relay`, and remove `relay.json` from STATE_PATH."
        }
    }
}
