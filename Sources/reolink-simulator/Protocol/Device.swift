import Glibc

/// The camera as it describes itself: the answers to `Get…` commands.
struct Device: Sendable {
    let model: String
    let name: String
    let mac: String
    let uid: String
    let user: String
    let channels: Int
    let main: PictureSize
    var sub: PictureSize { main.halved }
    var httpPort = 0
    var httpsPort: Int?
    let rtspPort: Int?

    private let firmware = "v3.1.0.2368_23062508"

    /// The `value` in the command's answer. `host` is the host name in the request.
    func value(of command: String, param: JSON?, host: String) throws(Refusal) -> JSON {
        let channel = param?["channel"]?.int ?? 0
        guard (0..<channels).contains(channel) else { throw Refusal(-49) }
        switch command {
        case "GetDevInfo": return ["DevInfo": info]
        case "GetLocalLink": return ["LocalLink": link]
        case "GetNetPort": return ["NetPort": ports]
        case "GetP2p": return ["P2p": ["enable": 0, "port": 9000, "uid": .string(uid)]]
        case "GetUser": return ["User": [["level": "admin", "userName": .string(user)]]]
        case "GetTime": return ["Dst": ["enable": 0], "Time": time]
        case "GetHddInfo": return ["HddInfo": []]
        case "GetAbility": return ["Ability": ability]
        case "GetChannelstatus": return status
        case "GetChnTypeInfo":
            return ["channel": .int(channel), "firmVer": .string(firmware), "typeInfo": .string(model)]
        case "GetEnc": return ["Enc": encoding(channel)]
        case "GetRtspUrl": return ["rtspUrl": streams(channel, host: host)]
        case "GetMdState": return ["state": 0]
        default: throw Refusal(-9)
        }
    }

    private var info: JSON {
        [
            "B485": 0, "IOInputNum": 0, "IOOutputNum": 0, "audioNum": 0, "buildDay": "build 23062508",
            "cfgVer": "v3.1.0.0", "channelNum": .int(channels), "detail": "IPC_SIMULATOR",
            "diskNum": 0, "exactType": .string(channels > 1 ? "NVR" : "IPC"), "firmVer": .string(firmware),
            "hardVer": "IPC_SIMULATOR", "itemNo": "P000", "model": .string(model), "name": .string(name),
            "serial": "00000000000000", "type": .string(channels > 1 ? "NVR" : "IPC"), "wifi": 0,
        ]
    }

    private var link: JSON {
        [
            "activeLink": "LAN", "dns": ["auto": 1, "dns1": "127.0.0.1", "dns2": ""],
            "mac": .string(mac),
            "static": ["gateway": "127.0.0.1", "ip": "127.0.0.1", "mask": "255.0.0.0"], "type": "DHCP",
        ]
    }

    private var ports: JSON {
        [
            "httpEnable": 1, "httpPort": .int(httpPort), "httpsEnable": .int(httpsPort == nil ? 0 : 1),
            "httpsPort": .int(httpsPort ?? 443), "mediaPort": 9000, "onvifEnable": 0, "onvifPort": 8000,
            "rtmpEnable": 0, "rtmpPort": 1935, "rtspEnable": .int(rtspPort == nil ? 0 : 1),
            "rtspPort": .int(rtspPort ?? 554),
        ]
    }

    private var time: JSON {
        var now = Glibc.time(nil)
        var local = tm()
        localtime_r(&now, &local)
        return [
            "day": .int(Int(local.tm_mday)), "hour": .int(Int(local.tm_hour)), "hourFmt": 0,
            "min": .int(Int(local.tm_min)), "mon": .int(Int(local.tm_mon) + 1),
            "sec": .int(Int(local.tm_sec)),
            "timeFmt": "DD/MM/YYYY", "timeZone": .int(-local.tm_gmtoff),
            "year": .int(Int(local.tm_year) + 1900),
        ]
    }

    private var ability: JSON {
        let perChannel: JSON = [
            "live": ["permit": 4, "ver": 2], "mainEncType": ["permit": 0, "ver": 0],
            "snap": ["permit": 6, "ver": 1],
        ]
        return [
            "abilityChn": .array(Array(repeating: perChannel, count: channels)),
            "login": ["permit": 0, "ver": 1], "rtsp": ["permit": 6, "ver": 1],
            "scheduleVersion": ["permit": 0, "ver": 1],
        ]
    }

    private var status: JSON {
        [
            "count": .int(channels),
            "status": .array(
                (0..<channels).map {
                    [
                        "channel": .int($0), "name": .string("Camera\($0 + 1)"), "online": 1, "sleep": 0,
                        "typeInfo": .string(model), "uid": "",
                    ]
                }),
        ]
    }

    private func encoding(_ channel: Int) -> JSON {
        func stream(_ size: PictureSize, rate: Int, frames: Int) -> JSON {
            [
                "bitRate": .int(rate), "frameRate": .int(frames), "gop": 2, "height": .int(size.height),
                "profile": "High", "size": .string("\(size.width)*\(size.height)"), "vType": "h264",
                "width": .int(size.width),
            ]
        }
        return [
            "audio": 1, "channel": .int(channel), "mainStream": stream(main, rate: 6144, frames: 25),
            "subStream": stream(sub, rate: 256, frames: 10),
        ]
    }

    private func streams(_ channel: Int, host: String) -> JSON {
        let number = channel < 9 ? "0\(channel + 1)" : "\(channel + 1)"
        let base = "rtsp://\(host):\(rtspPort ?? 554)/Preview_\(number)"
        return [
            "channel": .int(channel), "mainStream": .string(base + "_main"),
            "subStream": .string(base + "_sub"),
        ]
    }
}
