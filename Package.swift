// swift-tools-version: 6.1
import PackageDescription

// Arrows point down only: a target lists everything it may import, and `scripts/lint` refuses a wrong arrow.

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// Settings of every Swift target: upcoming strictness, and warnings are errors.
let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-warnings-as-errors"]),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: dependencies, resources: resources,
        swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")])
}

let targets: [Target] = [
    // C libraries: a module map and an inline header each.
    .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .systemLibrary(name: "CLinux"),

    // The core.
    library("Domain"),
    library("HostProcess", ["Domain", "CLinux"]),
    library("Engine", ["Domain", "HostProcess", lifecycle, logging, metrics, tracing]),
    library("Agents", ["Domain"]),
    library("Workflows", ["Domain", "Engine", "Agents", lifecycle, logging, metrics, tracing]),

    // Adapters: imported by executables and tests only.
    library("Settings", ["Domain", "Yams"]),
    library("Telemetry", ["Domain", "HostProcess", lifecycle, logging, metrics, tracing]),
    library("SQLiteStore", ["Domain", .product(name: "GRDB", package: "GRDB.swift")]),
    library("RedisMessaging", ["Domain", "HostProcess", "CHiredis", logging]),
    library("CurlHTTP", ["Domain", "CCurl"]),
    library("Vault", ["Domain", "COpenSSL"]),
    library("Forges", ["Domain"]),

    // Between the two: how operators reach running sandboxes.
    library("ControlSocket", ["Domain", "HostProcess", "CLinux"]),

    // The supervisor's side.
    library("Sandboxing", ["Domain", "HostProcess", "CLinux", "CSeccomp", logging]),
    library("Workspaces", ["Domain", "HostProcess", "CLinux"]),
    library("Gateway", ["Domain"] + nio.prefix(2)),
    library(
        "Supervision",
        [
            "Domain", "HostProcess", "Agents", "ControlSocket", "Gateway", "Sandboxing", "Workspaces", "CLinux",
            logging,
        ]),

    // The server's face.
    library(
        "API",
        ["Domain", "Engine", "Workflows", hummingbird, hummingbirdCore, lifecycle, logging, metrics, tracing] + nio),
    library("TestKit", ["Domain"]),
    // The real server, supervisor, git server and model as processes, for tests of the whole.
    library("ServerKit", ["Domain", "HostProcess", "CurlHTTP", "TestKit"], path: "Tests/ServerKit"),

    // The command line's side: speaks REST like any other client.
    library("Client", ["Domain"]),

    // Executables.
    .executableTarget(
        name: "codeforge",
        dependencies: [
            "Domain", "Engine", "Workflows", "API", "Agents", "Settings", "Telemetry", "SQLiteStore", "RedisMessaging",
            "CurlHTTP", "Vault", "Forges", "Client", "HostProcess", "Sandboxing", "Workspaces", "ControlSocket",
            "CLinux",
            lifecycle, .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            logging, metrics, tracing, arguments, hummingbird,
        ], swiftSettings: swift),
    .executableTarget(
        name: "codeforge-supervisor",
        dependencies: [
            "Domain", "Supervision", "Sandboxing", "ControlSocket", "Gateway", "RedisMessaging", "CurlHTTP",
            "Telemetry", "CLinux", logging,
        ],
        swiftSettings: swift,
        // Hundreds run at once: packed relocations, folded code and no exported names are two megabytes less to touch.
        linkerSettings: [
            .unsafeFlags(
                [
                    "-use-ld=lld", "-Xlinker", "--icf=safe", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
                    "-Xlinker", "--no-export-dynamic",
                ], .when(configuration: .release))
        ]),
    .executableTarget(
        name: "codeforge-sandbox",
        path: "sandbox",
        exclude: ["README.md", "profiles"],
        cSettings: [
            .define("_GNU_SOURCE"),
            .unsafeFlags([
                "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Os", "-ffunction-sections", "-fdata-sections",
                "-ffreestanding", "-fno-stack-protector",
            ]),
        ],
        linkerSettings: [
            // Neither Swift's runtime nor a C library ends up in it: see sandbox/kernel.c.
            .unsafeFlags([
                "-static-stdlib", "-nostartfiles", "-Xclang-linker", "-static", "-Xclang-linker", "-nostdlib",
                "-Xlinker", "--gc-sections",
            ])
        ]),
    // Not shipped: speaks the model APIs from a scenario file.
    .executableTarget(
        name: "scripted-model", dependencies: ["Domain", hummingbird, logging, arguments, "Yams"],
        path: "Tests/ScriptedModel", swiftSettings: swift),

    // Not shipped: what the API is measured against.
    .executableTarget(
        name: "bare-route", dependencies: [hummingbird, logging, arguments, nio[0]], path: "bench/bare-route",
        swiftSettings: swift),

    // Tests.
    tests("Domain", ["Domain"]),
    tests("Engine", ["Engine", "CurlHTTP", "Forges", "Telemetry", "TestKit", "Vault", lifecycle, metrics, tracing]),
    tests("Agents", ["Agents", "TestKit"], resources: [.copy("Fixtures")]),
    tests("Workflows", ["Domain", "Engine", "Settings", "Workflows", "CurlHTTP", "TestKit"]),
    tests("Settings", ["Domain", "Settings", "TestKit"]),
    tests("Telemetry", ["CurlHTTP", "Telemetry", "TestKit", lifecycle, tracing]),
    tests("SQLiteStore", ["SQLiteStore", "TestKit"]),
    tests("RedisMessaging", ["RedisMessaging", "TestKit"]),
    tests("CurlHTTP", ["CurlHTTP", "TestKit"] + nio),
    tests("Vault", ["Vault"]),
    tests("Forges", ["Domain", "Forges", "CurlHTTP", "TestKit"]),
    tests("Sandboxing", ["Domain", "Sandboxing", "HostProcess", "TestKit", "CLinux"]),
    tests("Workspaces", ["Workspaces", "TestKit"]),
    tests("Gateway", ["Gateway", "CurlHTTP", "TestKit"] + nio),
    tests("ControlSocket", ["ControlSocket", "HostProcess", "TestKit"]),
    tests("Supervision", ["Domain", "ControlSocket", "Supervision", "Sandboxing", "HostProcess", "TestKit"]),
    tests("Fuzz", ["Domain", "Agents", "Gateway", "Supervision"], resources: [.copy("Corpus")]),
    tests(
        "API",
        [
            "API", "CurlHTTP", "Forges", "Telemetry", "TestKit", "Vault", tracing,
            .product(name: "HummingbirdTesting", package: "hummingbird"), "Yams",
        ] + nio),
    tests("Client", ["Client", "TestKit"]),
    tests(
        "Integration",
        ["Domain", "HostProcess", "CurlHTTP", "RedisMessaging", "Vault", "TestKit", "ServerKit", logging]),
    tests(
        "Attack", ["Domain", "HostProcess", "CurlHTTP", "Gateway", "Sandboxing", "Workspaces", "TestKit", "ServerKit"]),
]

let package = Package(
    name: "codeforge",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: targets
)
