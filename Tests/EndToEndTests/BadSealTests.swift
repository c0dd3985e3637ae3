// Seals that don't hold: forged, of strangers, of other artifacts, and missing where they are demanded.

import Foundation
import Testing

struct BadSealTests {
    @Test func aBrokenSignature() async throws {
        try await Fixture.with { fixture in
            try fixture.change(fixture.seal(of: try fixture.newest("redis"))) { bytes in
                let start = try #require(bytes.firstRange(of: Array("\"payload\"".utf8))?.upperBound) + 300
                bytes[start] = bytes[start] == UInt8(ascii: "Q") ? UInt8(ascii: "R") : UInt8(ascii: "Q")
            }
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["seal-signature-invalid"])
        }
    }

    @Test func aSealThatIsNoSeal() async throws {
        try await Fixture.with { fixture in
            try Data("{}\n".utf8).write(to: fixture.seal(of: try fixture.newest("redis")))
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["seal-unreadable"])
        }
    }

    @Test func aStrangersKey() async throws {
        try await Fixture.with { fixture in
            let secret = fixture.folder.appendingPathComponent("other.key").path
            try await Program.require(["openssl", "genpkey", "-algorithm", "ed25519", "-out", secret])
            let trusted = fixture.lab.appendingPathComponent("keys/seal.pub").path
            try await Program.require(["openssl", "pkey", "-in", secret, "-pubout", "-out", trusted])
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["seal-untrusted-key"])
            // And a key that can't be read is this machine's trouble, not the backup's.
            try Data("no key\n".utf8).write(to: URL(fileURLWithPath: trusted))
            try await fixture.expect(try fixture.drillFile(), code: 2, rule: ["trusted-key-unreadable"])
        }
    }

    @Test(arguments: ["postgres", "redis"])
    func anotherDaysArtifact(service: String) async throws {
        try await Fixture.with { fixture in
            let artifacts = try fixture.artifacts(in: service == "redis" ? fixture.snapshots : fixture.dumps)
            try Data(contentsOf: artifacts[1]).write(to: artifacts[0])
            // Another day's file may also be shorter.
            try await fixture.expect(try fixture.drillFile(service), code: 1, rule: ["artifact-digest-differs", "artifact-truncated"])
            // With its own seal beside it, both of one moment: the one under a strange name is never taken for sound.
            try Data(contentsOf: fixture.seal(of: artifacts[1])).write(to: fixture.seal(of: artifacts[0]))
            let (outcome, report) = try await fixture.drill(try fixture.drillFile(service))
            let drill = try #require(report.drills.first)
            let taken = try #require(drill.recoveryPoints.first.map { URL(fileURLWithPath: $0.path).lastPathComponent })
            if taken == artifacts[0].lastPathComponent {
                #expect(outcome.code == 1)
                #expect(drill.cases.flatMap(\.findings).contains { $0.rule == "seal-names-other-artifact" })
            } else {
                #expect(taken == artifacts[1].lastPathComponent)
                #expect(drill.objectives?.rpo.first?.recovered == drill.recoveryPoints.first?.time)
            }
        }
    }

    /// The newest backup under the name of another day: the content is sealed, but as something else.
    @Test func aRenamedArtifact() async throws {
        try await Fixture.with { fixture in
            let artifacts = try fixture.artifacts(in: fixture.snapshots)
            for (from, to) in [(artifacts[0], artifacts[1]), (fixture.seal(of: artifacts[0]), fixture.seal(of: artifacts[1]))] {
                try Data(contentsOf: from).write(to: to)
                try FileManager.default.removeItem(at: from)
            }
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["seal-names-other-artifact"])
        }
    }

    /// Where the estate names no database, a series that is another's as a whole has nothing that it could be held against.
    @Test func whoseASeriesIsNobodyTells() async throws {
        try await Fixture.with { fixture in
            let sentence = "only its own seals say"
            let (named, report) = try await fixture.drill(try fixture.drillFile("postgres", from: "daily"))
            #expect(named.code == 0 && report.drills.first?.unproven.contains { $0.contains(sentence) } == false, "\(named.text)")
            try fixture.editEstate(", database: domainscope,", ",")
            for other in ["standby", "living"] { try fixture.editEstate("    \(other): {", "    \(other): {database: domainscope, ") }
            let (unnamed, other) = try await fixture.drill(try fixture.drillFile("postgres", from: "daily"))
            #expect(unnamed.code == 0 && other.drills.first?.unproven.contains { $0.contains(sentence) } == true, "\(unnamed.text)")
        }
    }

    /// One key seals all of an estate: what lies in the wrong folder is genuine, and still not this service's.
    @Test(arguments: ["redis", "postgres"])
    func anotherServicesBackup(service: String) async throws {
        try await Fixture.with { fixture in
            let (folder, ending, set) = service == "redis" ? (fixture.snapshots, "rdb.enc", "rdb") : (fixture.dumps, "dump.enc", "daily")
            let newest = try fixture.newest(service)
            let other = fixture.store.appendingPathComponent("other/\(newest.lastPathComponent)")
            try FileManager.default.createDirectory(at: other.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.moveItem(at: newest, to: other)
            try FileManager.default.removeItem(at: fixture.seal(of: newest))
            try fixture.editEstate(
                "services:\n",
                """
                services:
                  billing:
                    engine: \(service)
                    backups:
                      \(set): {kind: \(service == "redis" ? "rdb" : "pg_dump"), store: primary, match: "other/*.\(ending)", encryption: {format: openssl, key: backup}}

                """)
            let sealed = try await fixture.run([
                "seal", fixture.estate.path, "--service", "billing", "--backup", set, "--existing", "latest",
            ])
            try #require(sealed.code == 0, "\(sealed.text)")
            // Its globals lie beside it still.
            for file in [other, fixture.seal(of: other)] {
                try FileManager.default.copyItem(at: file, to: folder.appendingPathComponent(file.lastPathComponent))
            }
            let drill = try await fixture.expect(try fixture.drillFile(service), code: 1, rule: ["seal-names-other-source"])
            let finding = try #require(drill.findings.first { $0.rule == "seal-names-other-source" })
            #expect(finding.expected.contains("\(service)/\(set)") && finding.actual.contains("billing/\(set)"))
            let inspected = try await fixture.run(["inspect", fixture.estate.path, "--output", fixture.reports.path])
            #expect(inspected.code == 1 && inspected.out.contains("seal-names-other-source"), "\(inspected.text)")
            guard service == "redis" else { return }
            // A service that was renamed says so.
            try fixture.editEstate("    engine: redis\n    source", "    engine: redis\n    sealed-as: [billing]\n    source")
            let (outcome, _) = try await fixture.drill(try fixture.drillFile(service))
            #expect(outcome.code == 0, "\(outcome.text)")
        }
    }

    @Test func sealsAreDemanded() async throws {
        try await Fixture.with { fixture in
            try fixture.editEstate("  trust: [keys/seal.pub]", "  trust: [keys/seal.pub]\n  required: true")
            let (outcome, _) = try await fixture.drill(try fixture.drillFile())
            #expect(outcome.code == 0, "\(outcome.text)")
            try fixture.removeSeals(in: fixture.snapshots)
            try await fixture.expect(try fixture.drillFile(), code: 1, rule: ["not-sealed"])
        }
    }

    /// Green, but the report says loudly what was not proven.
    @Test func anUnsealedBackup() async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: fixture.dumps)
            let file = try fixture.drillFile(
                "postgres", more: "checks: {postgres: [{rows: {table: public.domains, at-least: 1}}]}")
            let (outcome, report) = try await fixture.drill(file)
            #expect(outcome.code == 0, "\(outcome.text)")
            let drill = try #require(report.drills.first)
            #expect(drill.unproven.contains { $0.contains("not sealed") && $0.contains("rows, content and schema") })
            #expect(outcome.out.contains("is not sealed"))
            for group in ["content", "schema"] {
                let cases = drill.cases(of: group, service: "postgres")
                #expect(!cases.isEmpty && cases.allSatisfy { $0.verdict == "skipped" && $0.reason == "not sealed" }, "\(group): \(cases)")
            }
            let rows = drill.cases(of: "rows", service: "postgres")
            #expect(rows.contains { $0.verdict == "skipped" && $0.reason == "not sealed" }, "\(rows)")
            let point = try #require(drill.recoveryPoints.first)
            #expect(!point.sealed && drill.objectives?.rpo.first?.timeSource == "archive-header")
            try await JUnitSchema.expectValid(
                Fixture.runFolder(
                    in: fixture.reports.appendingPathComponent(
                        try #require(FileManager.default.contentsOfDirectory(atPath: fixture.reports.path).first))))
        }
    }

    /// Nothing speaks for a backup without seal and without a declared check: that it loads is no proof of what it holds.
    @Test func anUnsealedRedisWithoutChecks() async throws {
        try await Fixture.with { fixture in
            try fixture.removeSeals(in: fixture.snapshots)
            let (outcome, report) = try await fixture.drill(try fixture.drillFile())
            let drill = try #require(report.drills.first)
            #expect(outcome.code == 2)
            #expect(drill.cases.flatMap(\.findings).contains { $0.rule == "nothing-verified" })
            #expect(drill.unproven.contains { $0.contains("not sealed") })
            #expect(!drill.cases(of: "content").contains { $0.verdict == "passed" })
        }
    }
}
