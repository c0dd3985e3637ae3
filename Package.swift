// swift-tools-version: 6.2
// The map of the house: which module may import which. docs/architecture.md says why.

import Foundation
import PackageDescription

// In CI every warning of ours is an error; at a desk it stays a warning, so that half-done work still builds.
let strict = ProcessInfo.processInfo.environment["CI"] != nil

// What is shipped holds its own hiredis and OpenSSL, so that one program serves systems that have other ones (Makefile, docs/releasing.md).
let isShipped = ProcessInfo.processInfo.environment["MUSTER_SHIPPED"] != nil

// Of what is shipped, less of ICU's data than Foundation's archive has (scripts/icu-data): an object that stands before the archive.
let icuData = ProcessInfo.processInfo.environment["MUSTER_ICU_DATA"]

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil, linking: [LinkerSetting]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings, linkerSettings: linking)
}

/// A C library: the system's own, or of what is shipped its archive.
func library(_ name: String) -> [LinkerSetting] {
    guard isShipped else { return [.linkedLibrary(name)] }
    // libpq brings an OpenSSL of the system's along: neither of the two may take the other's functions for its own.
    return [.linkedLibrary(":lib\(name).a"), .unsafeFlags(["-Xlinker", "--exclude-libs=lib\(name).a"])]
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil
) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: settings)
}

let package = Package(
    name: "muster",
    products: [
        .executable(name: "muster", targets: ["muster"]), .executable(name: "muster-sandbox", targets: ["muster-sandbox"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        // Shared by the test targets: real servers that end with the test.
        .target(
            name: "TestSupport",
            dependencies: [
                "ServerVersions", "ScratchHost", "PostgresRecovery", "RedisRecovery", "PostgresClient", "RedisClient", "DrillModel",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        // Programs that a test writes and runs.
        .target(name: "TestPrograms", path: "Tests/TestPrograms", swiftSettings: settings),
        // The servers in other versions than the system's, for tests of every kind: it imports nothing of ours.
        .target(name: "ServerVersions", path: "Tests/ServerVersions", swiftSettings: settings),
        .executableTarget(
            name: "muster", dependencies: ["MusterCLI"], swiftSettings: settings,
            linkerSettings: icuData.map { [.unsafeFlags([$0])] }),
        // What runs between fork and exec of a drill's programs, where no Swift may run.
        .executableTarget(
            name: "muster-sandbox", cSettings: [.unsafeFlags(["-std=gnu11", "-Wall", "-Wextra"] + (strict ? ["-Werror"] : []))],
            // It is C: of Swift's runtime, which is handed to every linker, nothing is to be in it.
            linkerSettings: [.unsafeFlags(["-static-stdlib", "-nostartfiles"])]),
        // Flags, printing, exit codes: it knows no client, no recovery and no cryptography.
        module(
            "MusterCLI",
            [
                "Drills", "Inspection", "Setup", "Cleanup", "Sealing", "Sabotage", "Lab", "BackupAccess", "DrillEngine", "DrillModel",
                "DrillFiles", "Evidence", "Compliance", "Notifications", "Reports", "ScratchHost", argumentParser, "CLinux", "CBuild",
            ]),
        // The modules that put the parts together: they may know many.
        module(
            "Drills",
            [
                "BackupAccess", "DrillEngine", "DrillModel", "BackupCatalog", "PostgresRecovery", "PhysicalRecovery", "RedisRecovery",
                "ApplicationRecovery", "ConfigurationRecovery", "CodeRecovery", "FileRecovery", "ArtifactFormats", "IntegrityChecks",
                "Reports", "ScratchHost", "PostgresClient", "RedisClient", "Cryptography",
            ]),
        module(
            "Inspection",
            [
                "BackupAccess", "DrillEngine", "DrillModel", "BackupCatalog", "BackupPolicy", "PostgresRecovery", "PhysicalRecovery",
                "RedisRecovery", "ConfigurationRecovery", "CodeRecovery", "FileRecovery", "ArtifactFormats", "Reports", "ScratchHost",
                "Cryptography",
            ]),
        module(
            "BackupAccess",
            [
                "DrillEngine", "DrillModel", "BackupCatalog", "BackupPolicy", "PhysicalRecovery", "ConfigurationRecovery", "CodeRecovery",
                "FileRecovery", "RedisRecovery", "PostgresClient", "ArtifactFormats", "Reports", "Seals", "ScratchHost", "Cryptography",
            ]),
        module(
            "Setup",
            [
                "OutsideTools", "BackupAccess", "DrillModel", "BackupCatalog", "ConfigurationRecovery", "PostgresRecovery", "RedisRecovery",
                "PhysicalRecovery", "FileRecovery", "DrillEngine", "ArtifactFormats", "Seals", "Reports", "ScratchHost", "Cryptography",
                mustache,
            ],
            resources: ["service", "timer", "github", "gitlab", "jenkins", "kubernetes", "cron"].map {
                .embedInCode("Pipelines/\($0).mustache")
            }),
        module("Cleanup", ["DrillModel", "Sealing", "Reports", "ScratchHost"]),
        module("DrillEngine", ["DrillModel"]),
        module("DrillModel"),
        module("DrillFiles", ["DrillModel", yams]),
        module(
            "Lab",
            [
                "DrillModel", "PostgresRecovery", "RedisRecovery", "CodeRecovery", "Seals", "Sealing", "ScratchHost", "PostgresClient",
                "RedisClient", "Cryptography",
            ]),
        module(
            "Sealing",
            [
                "OutsideTools", "ArtifactFormats", "BackupAccess", "BackupCatalog", "DrillFiles", "DrillModel", "FileRecovery",
                "PostgresRecovery", "PhysicalRecovery", "RedisRecovery", "IntegrityChecks", "Seals", "ScratchHost", "PostgresClient",
                "RedisClient", "Cryptography",
            ]),
        module("BackupCatalog", ["ArtifactFormats", "DrillModel", "Seals", "ScratchHost", "Cryptography"]),
        module("BackupPolicy", ["DrillModel"]),
        module("PostgresRecovery", ["OutsideTools", "ArtifactFormats", "DrillModel", "ScratchHost", "PostgresClient"]),
        module(
            "PhysicalRecovery",
            [
                "OutsideTools", "ArtifactFormats", "Cryptography", "DrillModel", "PostgresRecovery", "ScratchHost", "PostgresClient",
                "CLinux",
            ]),
        module("RedisRecovery", ["OutsideTools", "ArtifactFormats", "DrillModel", "ScratchHost", "RedisClient"]),
        module("ConfigurationRecovery", ["DrillModel", "Cryptography"]),
        module("CodeRecovery", ["DrillModel", "ScratchHost"]),
        module("ApplicationRecovery", ["DrillModel", "ScratchHost"]),
        module("IntegrityChecks", ["DrillModel", "PostgresClient", "RedisClient", "Cryptography"]),
        module("Seals", ["DrillModel", "Cryptography"]),
        // A signed, chained record of the runs beside their reports.
        module("Evidence", ["DrillModel", "BackupCatalog", "Reports", "Seals", "Cryptography"]),
        // The drills and inspections of a period against what was due.
        module("Compliance", ["DrillModel", "Evidence", "Reports"]),
        // Who is told how a run ended, and by which way.
        module("Notifications", ["DrillModel", "BackupCatalog", "Reports", "OutsideTools", "ScratchHost", "Cryptography"]),
        module("ArtifactFormats"),
        // The command lines of programs that others wrote, and what their ends mean.
        module("OutsideTools", ["ArtifactFormats", "ScratchHost"]),
        module("FileRecovery", ["OutsideTools", "ArtifactFormats", "DrillModel", "Seals", "ScratchHost", "Cryptography"]),
        module(
            "Sabotage",
            [
                "Drills", "BackupAccess", "DrillEngine", "DrillModel", "BackupCatalog", "FileRecovery", "PostgresRecovery",
                "BackupPolicy", "PhysicalRecovery", "RedisRecovery", "ArtifactFormats", "Reports", "Seals", "ScratchHost",
                "PostgresClient", "RedisClient", "Cryptography",
            ]),
        // An installed program has no files beside it: the templates are part of it.
        module(
            "Reports", ["DrillModel", mustache],
            resources: ["report", "drill", "finding", "checks", "timeline"].map { .embedInCode("HTML/\($0).mustache") }
                + ["compliance", "coverage", "runs", "trend", "action", "promises", "calendar", "standards", "ledger"].map {
                    .embedInCode("Compliance/\($0).mustache")
                } + [.embedInCode("HTML/style.css"), .embedInCode("Compliance/compliance.css")]),
        module("ScratchHost", ["DrillModel", "CLinux", subprocess, systemPackage]),
        module("PostgresClient", ["CLibPQ", "CLinux"]),
        module("RedisClient", ["CHiredis", "CLinux"], linking: library("hiredis")),
        module("Cryptography", ["COpenSSL", "CCRC32C"], linking: library("crypto")),
        tests(
            "LabTests",
            [
                "Lab", "TestSupport", "ArtifactFormats", "DrillModel", "DrillFiles", "Seals", "ScratchHost", "PostgresClient",
                "RedisClient", "Cryptography",
            ]),
        tests(
            "SealingTests",
            [
                "Sealing", "TestSupport", "TestPrograms", "IntegrityChecks", "DrillModel", "ScratchHost", "PostgresClient", "RedisClient",
                "Cryptography",
            ]),
        tests("ReportsTests", ["Reports", "DrillModel"], resources: [.copy("Golden"), .copy("Schema")]),
        tests("ArtifactFormatsTests", ["ArtifactFormats"]),
        tests("OutsideToolsTests", ["OutsideTools", "ArtifactFormats", "ScratchHost"]),
        tests("ScratchHostTests", ["ScratchHost", "TestSupport", "DrillModel"]),
        tests(
            "FileRecoveryTests",
            ["FileRecovery", "ServerVersions", "ArtifactFormats", "DrillModel", "Seals", "ScratchHost", "Cryptography"]),
        tests(
            "PostgresRecoveryTests",
            ["PostgresRecovery", "TestSupport", "ServerVersions", "ArtifactFormats", "DrillModel", "ScratchHost", "PostgresClient"]),
        tests(
            "RedisRecoveryTests",
            [
                "RedisRecovery", "TestSupport", "TestPrograms", "ServerVersions", "ArtifactFormats", "DrillModel", "ScratchHost",
                "RedisClient",
            ]),
        tests("ApplicationRecoveryTests", ["ApplicationRecovery", "TestSupport", "DrillModel", "ScratchHost"]),
        tests("BackupCatalogTests", ["BackupCatalog", "DrillModel", "Seals", "Cryptography"]),
        tests("DrillEngineTests", ["DrillEngine", "DrillModel"]),
        // They read the sources and the docs, and import nothing.
        tests("ArchitectureTests", []),
        // The package's own systemd units come of the pipelines' templates.
        tests("SetupTests", ["Setup", "DrillModel"]),
        // They run the built program that lies beside their bundle, and import nothing of it.
        tests("EndToEndTests", ["ServerVersions", "TestPrograms"]),
        .systemLibrary(name: "CLinux"),
        // The commit that this build is of; the Makefile asks git.
        .target(
            name: "CBuild",
            cSettings: [
                .define("MUSTER_COMMIT", to: "\"\(ProcessInfo.processInfo.environment["MUSTER_COMMIT"] ?? "")\"")
            ]),
        .systemLibrary(name: "CCRC32C"),
        tests(
            "PhysicalRecoveryTests",
            [
                "PhysicalRecovery", "TestSupport", "ServerVersions", "ArtifactFormats", "Cryptography", "DrillModel", "Lab",
                "PostgresRecovery", "IntegrityChecks",
                "PostgresClient", "ScratchHost",
            ]),
        tests("ConfigurationRecoveryTests", ["ConfigurationRecovery", "DrillModel", "Cryptography"]),
        tests("CodeRecoveryTests", ["CodeRecovery", "DrillModel", "ScratchHost", "TestSupport"]),
        tests("CryptographyTests", ["Cryptography"]),
        tests(
            "InspectionTests",
            [
                "Inspection", "Drills", "BackupAccess", "Sabotage", "TestSupport", "ArtifactFormats", "BackupCatalog", "BackupPolicy",
                "DrillEngine", "DrillFiles", "DrillModel", "Lab", "Seals", "ScratchHost", "Cryptography",
            ]),
        tests("BackupPolicyTests", ["BackupPolicy", "DrillModel"]),
        tests("DrillFilesTests", ["DrillFiles", "DrillModel"], exclude: ["Cases"]),
        tests("EvidenceTests", ["Evidence", "DrillModel", "Reports", "Cryptography"]),
        tests("ComplianceTests", ["Compliance", "DrillModel", "Evidence", "Reports", "Cryptography"]),
        tests("NotificationsTests", ["Notifications", "TestPrograms", "DrillModel", "Reports"]),
        tests("SealsTests", ["Seals", "DrillModel", "Cryptography"]),
        tests("PostgresClientTests", ["PostgresClient", "TestSupport"]),
        tests("RedisClientTests", ["RedisClient", "TestSupport"]),
        tests(
            "IntegrityChecksTests",
            ["IntegrityChecks", "TestSupport", "ServerVersions", "DrillModel", "PostgresClient", "RedisClient", "RedisRecovery"]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: isShipped ? nil : "libcrypto", providers: [.apt(["libssl-dev"])]),
    ]
)
