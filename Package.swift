// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
// Code that runs only while a person waits, never in a capture, is compiled for size instead of speed.
let small: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

// The dynamic linker resolves all symbols before the program begins, so its tables of addresses are then read-only.
let hardened: [LinkerSetting] = [
    .unsafeFlags(
        ["-z", "relro", "-z", "now"].flatMap { ["-Xlinker", $0] },
        .when(platforms: [.linux], configuration: .release))
]
// With this macro glibc checks the size of arrays. Swift must not see it: functions such as `read` would be ambiguous.
let fortified: [CSetting] = [.define("_FORTIFY_SOURCE", to: "2", .when(platforms: [.linux], configuration: .release))]

// Each run is a new process, so it pays for the program's start again. bench/PROFILE.md has the figures.
let link = "\(Context.packageDirectory)/packaging/link"
// The functions that a capture calls lie side by side. Names in that list that no longer exist do no harm.
let ordered = ["--symbol-ordering-file=\(link)/order", "--no-warn-symbol-ordering"]
let lean: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld", "-L", link, "-Xclang-linker", "-static-libgcc"]
            + (["--no-export-dynamic", "-z", "pack-relative-relocs"] + ordered).flatMap { ["-Xlinker", $0] },
        .when(platforms: [.linux], configuration: .release))
]

let package = Package(
    name: "snapshot",
    products: [
        .executable(name: "snapshot", targets: ["snapshot"]),
        .executable(name: "snapshot-web", targets: ["snapshot-web"]),
        .executable(name: "reolink-simulator", targets: ["reolink-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // System libraries and headers; all but CLibSSL are behind typed shims.
        .systemLibrary(name: "CLibSSL"),
        .target(name: "CLinux", cSettings: fortified),
        // libcurl and libcrypto behind typed shims, loaded at run time instead of linked.
        .target(name: "CLibCurl", cSettings: fortified),
        .target(name: "CLibCrypto", cSettings: fortified),

        // Failures, clocks, files, JSON: what every program here needs.
        .target(name: "SnapshotBase", dependencies: ["CLinux"], swiftSettings: strict),
        // Child programs, and work in a forked copy of this one.
        .target(name: "SnapshotProcesses", dependencies: ["SnapshotBase", "CLinux"], swiftSettings: strict),
        // Looking for cameras on the local network.
        .target(name: "SnapshotDiscover", dependencies: ["SnapshotBase", "CLinux"], swiftSettings: small),
        // Every setting's declaration, and where values come from.
        .target(
            name: "SnapshotSettings", dependencies: ["SnapshotBase", "SnapshotProcesses", "CLinux"],
            swiftSettings: strict),
        // The state ring and health: links neither libcurl nor libcrypto, since the web front depends on it.
        .target(
            name: "SnapshotState", dependencies: ["SnapshotBase", "SnapshotSettings", "CLinux"], swiftSettings: strict),
        // HTTP on libcurl, digests and signatures on libcrypto, and whom TLS trusts.
        .target(
            name: "SnapshotHTTP", dependencies: ["SnapshotBase", "SnapshotSettings", "CLibCurl", "CLibCrypto"],
            swiftSettings: strict),
        // RTSP between ffmpeg and a camera or server, and the contents of a stream.
        .target(
            name: "SnapshotMedia", dependencies: ["SnapshotBase", "SnapshotProcesses", "SnapshotHTTP", "CLibCurl"],
            swiftSettings: strict),
        // Cameras: settings, trust, login, still pictures, and the check of every picture.
        .target(
            name: "SnapshotCamera",
            dependencies: ["SnapshotBase", "SnapshotProcesses", "SnapshotSettings", "SnapshotHTTP", "SnapshotMedia"],
            swiftSettings: strict),
        // The names of stored pictures.
        .target(
            name: "SnapshotKeys", dependencies: ["SnapshotBase", "SnapshotSettings", "SnapshotState"],
            swiftSettings: strict),
        // Stores, and uploads with their attempts.
        .target(
            name: "SnapshotStore",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotSettings", "SnapshotState", "SnapshotHTTP",
                "SnapshotKeys",
            ], swiftSettings: strict),
        // One run: camera → check → store, or spool if the store fails.
        .target(
            name: "SnapshotCapture",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotState", "SnapshotHTTP", "SnapshotCamera", "SnapshotKeys",
                "SnapshotStore",
            ],
            swiftSettings: strict),
        // `snapshot check`: tries everything that the settings name.
        .target(
            name: "SnapshotCheck",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotDiscover", "SnapshotSettings", "SnapshotState",
                "SnapshotHTTP", "SnapshotMedia", "SnapshotCamera", "SnapshotKeys", "SnapshotStore", "SnapshotCapture",
            ], swiftSettings: small),

        // `snapshot setup`: questions, then the files and units that the answers need.
        .target(
            name: "SnapshotSetup",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotDiscover", "SnapshotSettings", "SnapshotState",
                "SnapshotCamera", "SnapshotStore", "SnapshotCapture", "SnapshotCheck",
            ], swiftSettings: small),

        // ffmpeg, watched and kept going: republish, HLS, recordings, MPEG-TS over HTTP.
        .target(
            name: "SnapshotRelay",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotSettings", "SnapshotState", "SnapshotHTTP",
                "SnapshotMedia", "SnapshotCamera", "SnapshotKeys", "SnapshotStore", "CLinux",
            ], swiftSettings: strict),

        .executableTarget(
            name: "snapshot",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotState", "SnapshotHTTP", "SnapshotCapture",
                "SnapshotCheck", "SnapshotDiscover", "SnapshotSetup",
                "SnapshotRelay",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict, linkerSettings: lean + hardened),

        // The HTTP front: reads the state, holds no camera or storage credential.
        .target(
            name: "SnapshotWeb",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotState",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            resources: [
                .embedInCode("Assets/page.css"), .embedInCode("Assets/page.js"), .embedInCode("Assets/live.js"),
                .embedInCode("Assets/mp4.js"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "snapshot-web",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotWeb",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict, linkerSettings: hardened),
        .testTarget(
            name: "SnapshotWebTests",
            dependencies: ["SnapshotWeb", "SnapshotBase", "SnapshotSettings", "SnapshotState", "TestKit"]),

        .executableTarget(
            name: "reolink-simulator",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotDiscover", "CLibSSL",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // What unit tests share.
        .target(name: "TestKit", dependencies: ["SnapshotBase"], path: "Tests/TestKit", swiftSettings: strict),
        .testTarget(name: "SnapshotBaseTests", dependencies: ["SnapshotBase", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "SnapshotProcessesTests", dependencies: ["SnapshotBase", "SnapshotProcesses", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotDiscoverTests", dependencies: ["SnapshotBase", "SnapshotDiscover"], swiftSettings: strict),
        .testTarget(
            name: "SnapshotSettingsTests", dependencies: ["SnapshotBase", "SnapshotSettings"], swiftSettings: strict),
        .testTarget(
            name: "SnapshotStateTests", dependencies: ["SnapshotBase", "SnapshotState", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotHTTPTests", dependencies: ["SnapshotBase", "SnapshotSettings", "SnapshotHTTP", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotMediaTests", dependencies: ["SnapshotBase", "SnapshotMedia", "TestKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotCameraTests",
            dependencies: ["SnapshotBase", "SnapshotProcesses", "SnapshotSettings", "SnapshotHTTP", "SnapshotCamera"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotKeysTests", dependencies: ["SnapshotBase", "SnapshotSettings", "SnapshotKeys"],
            swiftSettings: strict),
        .testTarget(
            name: "SnapshotStoreTests",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotState", "SnapshotHTTP", "SnapshotStore", "TestKit",
            ], swiftSettings: strict),
        .testTarget(
            name: "SnapshotCaptureTests",
            dependencies: [
                "SnapshotBase", "SnapshotSettings", "SnapshotState", "SnapshotHTTP", "SnapshotCamera", "SnapshotKeys",
                "SnapshotStore", "SnapshotCapture", "TestKit",
            ], swiftSettings: strict),
        // Signs requests for the tests to compare with botocore's signatures.
        .executableTarget(
            name: "sigv4-sign", dependencies: ["SnapshotHTTP"], path: "Tests/Tools/sigv4-sign",
            swiftSettings: strict),

        .testTarget(
            name: "SnapshotRelayTests",
            dependencies: [
                "SnapshotBase", "SnapshotProcesses", "SnapshotSettings", "SnapshotMedia", "SnapshotRelay", "TestKit",
            ], swiftSettings: strict),
    ]
)
