// The package's own systemd units, its user and its folders (packaging/systemd), as systemd's own tools take them.

import Foundation
import Testing

@Suite(.enabled(if: PackagedUnits.areJudged, "systemd's tools are missing: scripts/setup-tests brings them")) struct PackagedUnitTests {
    @Test func systemdTakesTheUnits() async throws {
        try await PackagedUnits.installed { units in
            let names = try FileManager.default.contentsOfDirectory(atPath: units.folder.path).sorted()
            #expect(names == ["muster-drill.service", "muster-drill.timer", "muster-inspect.service", "muster-inspect.timer"])
            for name in names {
                let judged = try await PipelineTools.judge(units.folder.appendingPathComponent(name))
                #expect(judged.code == 0, "\(name): \(judged.text)")
                #expect(!(try units.text(name)).contains("bindir"), "\(name) has a place left open")
                guard name.hasSuffix(".service") else { continue }
                // 4.0 and less is "OK".
                let exposed = try await Program.run(
                    ["systemd-analyze", "security", "--offline=yes", "--threshold=38", "./\(name)"], folder: units.folder)
                #expect(exposed.code == 0 && exposed.out.contains("OK"), "\(exposed.text)")
            }
        }
    }

    /// No estate is named: what is found in /etc/muster is meant.
    @Test func theUnitsNameNoEstate() async throws {
        try await PackagedUnits.installed { units in
            for (name, words) in [("inspect", "inspect"), ("drill", "run")] {
                let service = try units.text("muster-\(name).service")
                for line in [
                    "ExecStart=\(Program.muster) \(words) --output /var/lib/muster/reports", "ExecStopPost=\(Program.muster) clean",
                    "User=muster", "WorkingDirectory=/var/lib/muster",
                    "EnvironmentFile=-/etc/muster/environment", "NoNewPrivileges=yes", "ProtectSystem=strict",
                ] {
                    #expect(service.contains("\n\(line)\n"), "\(line)\n\(service)")
                }
                // A unit that is skipped in silence, since its estate is gone, would be a promise that nobody keeps.
                #expect(!service.contains("\nCondition"))
            }
        }
    }

    /// After a drill, and only where something is due.
    @Test(arguments: [
        "due: quarterly\n", "{due: yearly}\n", "\"due\" : monthly\n", "# nothing here is overdue\n", "a: b # due: overdue\n", nil,
    ])
    func aReportWhereSomethingIsDue(text: String?) async throws {
        try await PackagedUnits.installed { units in
            let etc = units.folder.appendingPathComponent("etc")
            try FileManager.default.createDirectory(at: etc.appendingPathComponent("drills"), withIntermediateDirectories: true)
            if let text { try Data(text.utf8).write(to: etc.appendingPathComponent("drills/one.yaml")) }
            let line = try #require(try units.text("muster-drill.service").firstMatch(of: /\nExecStopPost=\/bin\/sh -c '(.*)'\n/)).1
            let script = line.replacing(Program.muster, with: "echo").replacing("/etc/muster", with: etc.path)
            let ended = try await Program.run(["sh", "-c", String(script)])
            #expect(ended.code == 0)
            #expect(ended.out == (text?.contains("overdue") == false ? "report --output /var/lib/muster/reports\n" : ""), "\(ended.text)")
            #expect(!(try units.text("muster-inspect.service")).contains("/bin/sh"))
        }
    }

    /// In a machine's root of its own: a user without a shell, and folders that are closed to others.
    @Test(.enabled(if: getuid() == 0, "it makes folders of other users, which takes root")) func theUserAndTheFolders() async throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-root-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createDirectory(at: root.appendingPathComponent("etc"), withIntermediateDirectories: true)
        for _ in 1...2 {
            for (tool, name) in [(["systemd-sysusers"], "sysusers"), (["systemd-tmpfiles", "--create"], "tmpfiles")] {
                let file = PackagedUnits.source.appendingPathComponent("muster.\(name)").path
                let made = try await Program.run(tool + ["--root=\(root.path)", file])
                #expect(made.code == 0 && (name == "sysusers" || made.text.isEmpty), "\(made.text)")
            }
        }
        let accounts = try String(contentsOf: root.appendingPathComponent("etc/passwd"), encoding: .utf8)
        let fields = try #require(accounts.split(separator: "\n").first { $0.hasPrefix("muster:") }).split(
            separator: ":", omittingEmptySubsequences: false)
        #expect(fields[5] == "/var/lib/muster" && fields[6].hasSuffix("nologin"))
        let id = try #require(UInt32(fields[2]))
        let group = try #require(UInt32(fields[3]))
        // Keys in /etc/muster have modes of their own; an estate is anybody's to read.
        for (path, owner, group, mode) in [
            ("var/lib/muster", id, group, 0o750), ("var/lib/muster/reports", id, group, 0o750),
            ("var/lib/muster/scratch", id, group, 0o750),
            ("etc/muster", 0, 0, 0o755),
        ] {
            let attributes = try FileManager.default.attributesOfItem(atPath: root.appendingPathComponent(path).path)
            #expect(attributes[.posixPermissions] as? Int == mode, "\(path)")
            #expect(
                attributes[.ownerAccountID] as? UInt32 == owner && attributes[.groupOwnerAccountID] as? UInt32 == group, "\(path)")
        }
    }
}

/// The units as an installer lays them: the place of the program filled in.
private struct PackagedUnits {
    static let source = PipelineTools.root.appendingPathComponent("packaging/systemd")
    static let areJudged =
        Program.inCI
        || ["systemd-analyze", "systemd-sysusers", "systemd-tmpfiles"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
        }

    let folder: URL

    func text(_ name: String) throws -> String { try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) }

    static func installed(_ body: (PackagedUnits) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("me2e-units-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bin = URL(fileURLWithPath: Program.muster).deletingLastPathComponent().path
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path) where name.hasPrefix("muster-") {
            let text = try String(contentsOf: source.appendingPathComponent(name), encoding: .utf8)
            try Data(text.replacing("@bindir@", with: bin).utf8).write(to: folder.appendingPathComponent(name))
        }
        try await body(PackagedUnits(folder: folder))
    }
}
