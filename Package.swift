// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import PackageDescription

// The house. Lowest floor first; an arrow may only point down,
// or to a neighbour listed in `sideways`.
let house: [Room] = [
    .system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    .system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    .system("CLinux"),
    .system("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
    .system("CRdKafka", pkgConfig: "rdkafka", apt: "librdkafka-dev"),
    .system("CSsl", pkgConfig: "libssl", apt: "libssl-dev"),
    .system("CYaml", pkgConfig: "yaml-0.1", apt: "libyaml-dev"),
    .system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    .system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),

    .kit("JSON"),
    .kit("Hashing", on: ["CCrypto"]),
    .kit("Archive", on: ["CZlib", "CZstd"]),
    .kit("Yaml", on: ["CYaml", "JSON"]),
    .kit("Telemetry", on: ["JSON"], [.log, .metrics]),
    .kit("Transport", on: ["CCurl"], [.log]),
    .kit("Wire", on: ["CLinux", "CNghttp2", "CSsl"], [.log]),
    .kit("Kafka", on: ["CRdKafka"], [.log]),
    .kit("OCI", on: ["Hashing", "JSON", "Transport"], [.log]),
    .kit("KubeCore", on: ["JSON"]),
    .kit("KubeClient", on: ["JSON", "KubeCore", "Transport", "Yaml"], [.log]),
    .kit("KubeRuntime", on: ["JSON", "KubeClient", "KubeCore"], [.log, .metrics, .lifecycle]),

    .domain("Contract", on: ["JSON"]),
    .domain("HydroAPI", on: ["Contract", "Hashing", "JSON", "KubeCore"]),
    .domain("Protos", on: ["Contract"], [.protobuf], exclude: ["proto"]),
    .domain("OpenInference", on: ["Contract", "JSON", "Protos"]),

    .feature("Composer", on: ["Archive", "Contract", "Hashing", "HydroAPI", "JSON", "KubeCore", "OCI", "Protos", "Transport"], [.log, .metrics]),
    .feature("Controllers", on: ["Composer", "Contract", "Hashing", "HydroAPI", "JSON", "KubeClient", "KubeCore", "KubeRuntime", "OCI", "Transport"], [.log, .metrics, .lifecycle]),
    .feature("Gateway", on: ["Archive", "Contract", "Hashing", "HydroAPI", "JSON", "Kafka", "KubeClient", "KubeCore", "KubeRuntime", "OpenInference", "Protos", "Telemetry", "Wire"], [.log, .metrics, .lifecycle, .protobuf]),

    .program("hydro-operator", on: ["Composer", "Controllers", "HydroAPI", "JSON", "KubeClient", "KubeCore", "KubeRuntime", "OCI", "Telemetry", "Transport", "Wire"], [.arguments, .log, .metrics, .lifecycle, .signals]),
    .program("hydro-gateway", on: ["Gateway", "HydroAPI", "Kafka", "KubeClient", "KubeCore", "KubeRuntime", "Telemetry", "Transport", "Wire"], [.arguments, .log, .metrics, .lifecycle, .signals]),

    .bench("FuzzTargets", on: ["Contract", "JSON", "OpenInference", "Protos"]),
    .bench("LoopbackTesting", on: ["CLinux"]),
    .bench("RegistryTesting", on: ["Hashing", "JSON", "LoopbackTesting"]),
    .benchProgram("hydro-fuzz", on: ["FuzzTargets"]),
    .benchProgram("bench-upstream", on: ["Wire"], [.log]),

    .tests(of: "JSON"),
    .tests(of: "Hashing"),
    .tests(of: "Archive"),
    .tests(of: "Yaml", on: ["JSON"]),
    .tests(of: "Telemetry", on: ["JSON"], [.log, .metrics]),
    .tests(of: "Transport", on: ["LoopbackTesting"]),
    .tests(of: "Wire", on: ["CSsl", "LoopbackTesting"]),
    .tests(of: "Kafka", on: ["CRdKafka"], [.log]),
    .tests(of: "OCI", on: ["Hashing", "JSON", "LoopbackTesting", "RegistryTesting", "Transport"]),
    .tests(of: "KubeCore", on: ["JSON"]),
    .tests(of: "KubeClient", on: ["JSON", "KubeCore", "LoopbackTesting", "Transport"], [.log]),
    .tests(of: "KubeRuntime", on: ["JSON", "KubeClient", "KubeCore", "LoopbackTesting", "Transport"], [.lifecycle, .log]),
    .tests(of: "Contract", on: ["JSON"], golden: true),
    .tests(of: "HydroAPI", on: ["Contract", "JSON", "KubeCore", "Yaml"]),
    .tests(of: "Protos", on: ["Contract"], [.protobuf]),
    .tests(of: "FuzzTargets"),
    .tests(of: "OpenInference", on: ["Contract", "JSON", "Protos"]),
    .tests(of: "Composer", on: ["Archive", "Contract", "Hashing", "HydroAPI", "JSON", "KubeCore", "LoopbackTesting", "OCI", "Protos", "RegistryTesting", "Transport"], [.log]),
    .tests(of: "Controllers", on: ["Composer", "Contract", "HydroAPI", "JSON", "KubeClient", "KubeCore", "KubeRuntime", "OCI"]),
    .tests(of: "Gateway", on: ["Contract", "Hashing", "HydroAPI", "JSON", "Kafka", "KubeClient", "KubeCore", "KubeRuntime", "LoopbackTesting", "OpenInference", "Protos", "Telemetry", "Transport", "Wire"], [.lifecycle, .log, .protobuf]),
]

let sideways: Set<String> = [
    "Yaml → JSON", "Telemetry → JSON",
    "OCI → Hashing", "OCI → JSON", "OCI → Transport",
    "KubeCore → JSON", "KubeClient → JSON", "KubeClient → KubeCore", "KubeClient → Transport", "KubeClient → Yaml",
    "KubeRuntime → JSON", "KubeRuntime → KubeClient", "KubeRuntime → KubeCore",
    "HydroAPI → Contract", "Protos → Contract", "OpenInference → Contract", "OpenInference → Protos",
    "Controllers → Composer",
    "RegistryTesting → LoopbackTesting", "hydro-fuzz → FuzzTargets",
]

// Above the package: a manifest runs from top to bottom, and would find an empty list in what comes later.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "hydro",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: house.map { wire($0, into: house) }
)

// How a room is built.

enum Floor: Int { case system, kit, domain, feature, program, bench, tests }

struct Room {
    var name: String
    var floor: Floor
    var leansOn: [String] = []
    var products: [Target.Dependency] = []
    var library: (pkgConfig: String?, apt: String) = (nil, "libc6-dev")
    var golden = false
    /// A program that measures, and is in no image.
    var isProgram = false
    /// Folders that are no sources.
    var exclude: [String] = []

    static func system(_ name: String, pkgConfig: String? = nil, apt: String = "libc6-dev") -> Room {
        Room(name: name, floor: .system, library: (pkgConfig, apt))
    }
    static func kit(_ name: String, on below: [String] = [], _ products: [Target.Dependency] = []) -> Room {
        Room(name: name, floor: .kit, leansOn: below, products: products)
    }
    static func domain(
        _ name: String, on below: [String] = [], _ products: [Target.Dependency] = [], exclude: [String] = []
    ) -> Room {
        Room(name: name, floor: .domain, leansOn: below, products: products, exclude: exclude)
    }
    static func feature(_ name: String, on below: [String] = [], _ products: [Target.Dependency] = []) -> Room {
        Room(name: name, floor: .feature, leansOn: below, products: products)
    }
    static func program(_ name: String, on below: [String] = [], _ products: [Target.Dependency] = []) -> Room {
        Room(name: name, floor: .program, leansOn: below, products: products)
    }
    static func bench(_ name: String, on below: [String] = []) -> Room {
        Room(name: name, floor: .bench, leansOn: below)
    }
    static func benchProgram(_ name: String, on below: [String] = [], _ products: [Target.Dependency] = []) -> Room {
        Room(name: name, floor: .bench, leansOn: below, products: products, isProgram: true)
    }
    static func tests(
        of name: String, on below: [String] = [], _ products: [Target.Dependency] = [], golden: Bool = false
    ) -> Room {
        Room(name: name + "Tests", floor: .tests, leansOn: [name] + below, products: products, golden: golden)
    }
}

/// The target of a room; stops the manifest at an arrow that points up.
func wire(_ room: Room, into house: [Room]) -> Target {
    for name in room.leansOn {
        guard let below = house.first(where: { $0.name == name }) else {
            fatalError("\(room.name) leans on \(name), which is not in the house")
        }
        precondition(
            below.floor.rawValue < room.floor.rawValue || sideways.contains("\(room.name) → \(name)"),
            "\(room.name) [\(room.floor)] may not lean on \(name) [\(below.floor)]"
        )
    }
    let dependencies = room.leansOn.map { Target.Dependency.byName(name: $0) } + room.products
    let name = room.name
    return switch room.floor {
    case .system:
        .systemLibrary(
            name: name, path: "Sources/System/\(name)", pkgConfig: room.library.pkgConfig,
            providers: [.apt([room.library.apt])])
    case .kit: .target(name: name, dependencies: dependencies, path: "Sources/Kit/\(name)", swiftSettings: strict)
    case .domain:
        .target(
            name: name, dependencies: dependencies, path: "Sources/Domain/\(name)", exclude: room.exclude, swiftSettings: strict)
    case .feature: .target(name: name, dependencies: dependencies, path: "Sources/Feature/\(name)", swiftSettings: strict)
    case .program: .executableTarget(name: name, dependencies: dependencies, path: "Sources/Program/\(name)", swiftSettings: strict)
    case .bench where room.isProgram:
        .executableTarget(name: name, dependencies: dependencies, path: "Benchmarks/Sources/\(name)", swiftSettings: strict)
    case .bench: .target(name: name, dependencies: dependencies, path: "Tests/Support/\(name)", swiftSettings: strict)
    case .tests:
        .testTarget(
            name: name, dependencies: dependencies, path: "Tests/\(name)",
            resources: room.golden ? [.copy("Golden")] : [], swiftSettings: strict)
    }
}

extension Target.Dependency {
    static var arguments: Self { .product(name: "ArgumentParser", package: "swift-argument-parser") }
    static var lifecycle: Self { .product(name: "ServiceLifecycle", package: "swift-service-lifecycle") }
    static var log: Self { .product(name: "Logging", package: "swift-log") }
    static var metrics: Self { .product(name: "Metrics", package: "swift-metrics") }
    static var protobuf: Self { .product(name: "SwiftProtobuf", package: "swift-protobuf") }
    static var signals: Self { .product(name: "UnixSignals", package: "swift-service-lifecycle") }
}
