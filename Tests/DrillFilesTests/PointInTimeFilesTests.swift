// Base backups, their archives and recovery targets in the files: what is read, and every mistake.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct PointInTimeFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        stores:
          nas: {type: file, path: /mnt/nas}
          vault: {type: file, path: /mnt/vault}
        keys:
          backup: {env: KEY}
        services:
          postgres:
            engine: postgres
            backups:
              base:
                kind: base_backup
                stores: [nas, vault]
                match: base/*
                encryption: none
                wal: {match: wal/*, encryption: {format: openssl, key: backup}}
              alone:
                kind: base_backup
                store: nas
                match: alone/*
                encryption: none

        """
    private static let drill = """
        version: 1
        drill: pitr
        estate: estate.yaml
        scenario: database-corruption
        recover:
          postgres: {from: base, to: {time: "2026-02-28T01:59:00.5+05:30"}, inclusive: false, timeline: 3}

        """

    private func load(_ old: String = "", _ new: String = "", estate: Bool = false) throws -> (DrillPlan?, [String]) {
        let fixture = try Fixture()
        let text =
            old.isEmpty
            ? (Self.estate, Self.drill)
            : estate ? (Self.estate.replacing(old, with: new), Self.drill) : (Self.estate, Self.drill.replacing(old, with: new))
        try #require(old.isEmpty || (estate ? Self.estate : Self.drill).contains(old))
        try fixture.write("estate.yaml", text.0)
        try fixture.write("drill.yaml", text.1)
        let problems = fixture.problems(["drill.yaml"]).map(\.message)
        return (problems.isEmpty ? try fixture.drills("drill.yaml").first : nil, problems)
    }

    @Test func everythingIsRead() throws {
        let plan = try #require(try load().0)
        let set = try #require(plan.estate.services["postgres"]?.backups["base"])
        #expect(set.kind == .baseBackup)
        // Its own stores, since it names none.
        #expect(
            set.wal
                == WALArchive(
                    stores: ["nas", "vault"], match: "wal/*",
                    encryption: Encryption(format: .opensslEnc(iterations: 10_000, digest: "sha256"), key: "backup")))
        let time = Date(timeIntervalSince1970: 1_772_224_140.5)
        #expect(plan.recover[0].target == RecoveryTarget(.time(time), inclusive: false, timeline: .number(3)))
        #expect(plan.estate.services["postgres"]?.backups["alone"]?.wal == nil)
    }

    @Test(arguments: ["age", "gpg"])
    func formatsOfOneFileAtATimeAreRefused(format: String) throws {
        let wal = try load("{format: openssl, key: backup}", "{format: \(format), key: backup}", estate: true).1
        #expect(wal == ["format \"\(format)\" does not fit \"wal\""])
        let base = try load(
            "match: base/*\n        encryption: none", "match: base/*\n        encryption: {format: \(format), key: backup}", estate: true
        ).1
        #expect(base == ["format \"\(format)\" does not fit kind \"base_backup\""])
        #expect(try load("{format: openssl, key: backup}", "{format: cms, key: backup}", estate: true).1.isEmpty)
    }

    private static let to = "to: {time: \"2026-02-28T01:59:00.5+05:30\"}, inclusive: false, timeline: 3"

    @Test(arguments: [
        ("to: {lsn: 0/16B3748}", RecoveryTarget(.lsn(0x16B_3748))), ("to: {name: before it}", RecoveryTarget(.name("before it"))),
        ("to: {xid: 741}, inclusive: false", RecoveryTarget(.xid(741), inclusive: false)), ("to: end", RecoveryTarget(.end)),
        ("to: sealed-moment", RecoveryTarget(.moment)),
        ("timeline: current", RecoveryTarget(.end, timeline: .current)), ("timeline: latest", RecoveryTarget(.end)),
    ])
    func targets(text: String, expected: RecoveryTarget) throws {
        #expect(try load(Self.to, text).0?.recover[0].target == expected)
    }

    @Test(arguments: [
        ("to: start", "\"to\" must be \"end\", \"sealed-moment\" or a mapping"), ("to: {}", "\"to\" must name one target"),
        ("to: {lsn: 0/1, xid: 741}", "\"to\" must name one target"), ("to: {lsn: 12}", "\"lsn\" is not a position in the write-ahead log"),
        ("to: {time: \"2026-02-28T01:59:00\"}", "\"time\" has no time zone"), ("to: {time: noon}", "\"time\" is not an instant"),
        ("to: {time: \"2036-02-28T01:59:00Z\"}", "the target lies in the future"), ("to: {xid: 2}", "\"xid\" is out of range"),
        ("inclusive: false", "\"inclusive\" means nothing without a target"),
        ("to: sealed-moment, inclusive: false", "\"inclusive\" means nothing for a sealed moment"),
        ("to: sealed-moment, timeline: 2", "\"timeline\" means nothing for a sealed moment"),
        ("to: {name: x}, inclusive: true", "\"inclusive\" means nothing for a restore point"),
        ("timeline: newest", "unknown timeline \"newest\""), ("timeline: 0", "unknown timeline \"0\""),
    ])
    func badTargets(text: String, message: String) throws {
        #expect(try load(Self.to, text).1 == [message])
    }

    @Test func whatDoesNotFit() throws {
        #expect(
            try load("from: base", "from: alone").1 == [
                "\"to\" needs a backup with \"wal\", and \"alone\" has none",
                "\"inclusive\" needs a backup with \"wal\", and \"alone\" has none",
                "\"timeline\" needs a backup with \"wal\", and \"alone\" has none",
            ])
        #expect(try load("timeline: 3", "jobs: 2").1 == ["\"jobs\" does not fit kind \"base_backup\""])
        #expect(
            try load("kind: base_backup\n        stores", "kind: pg_dump\n        stores", estate: true).1 == [
                "\"wal\" does not fit kind \"pg_dump\""
            ])
        #expect(try load("wal: {match: wal/*, ", "wal: {", estate: true).1 == ["missing key \"match\" in \"wal\" of backup \"base\""])
        #expect(try load("wal: {match", "wal: {store: nowhere, match", estate: true).1 == ["unknown store \"nowhere\""])
    }

    private static let foreign = """
        version: 1
        estate: shop
        stores:
          nas: {type: file, path: /mnt/nas}
        keys:
          repo: {env: KEY}
        services:
          postgres:
            engine: postgres
            backups:
              repo:
                kind: pgbackrest
                store: nas
                match: repo
                stanza: main
                encryption: {format: pgbackrest, key: repo}
              other:
                kind: command
                store: nas
                match: other/*
                encryption: none
                restore: [tool, "{backup}", "{data}"]
                fetch-wal: [tool, "{wal}", "{path}"]

        """

    private static let fetch = "        fetch-wal: [tool, \"{wal}\", \"{path}\"]\n"

    private func loadForeign(_ old: String = "", _ new: String = "") throws -> (Estate?, [String]) {
        let fixture = try Fixture()
        try #require(old.isEmpty || Self.foreign.contains(old))
        try fixture.write("estate.yaml", old.isEmpty ? Self.foreign : Self.foreign.replacing(old, with: new))
        try fixture.write(
            "drill.yaml",
            "version: 1\ndrill: d\nestate: estate.yaml\nscenario: database-corruption\nrecover:\n  postgres: {from: repo, to: {name: x}}\n")
        let problems = fixture.problems(["drill.yaml"]).map(\.message)
        return (problems.isEmpty ? try fixture.drills("drill.yaml").first?.estate : nil, problems)
    }

    @Test func otherToolsBackupsAreRead() throws {
        let estate = try #require(try loadForeign().0)
        let repo = try #require(estate.services["postgres"]?.backups["repo"])
        #expect(repo.kind == .pgBackRest && repo.stanza == "main" && repo.encryption == Encryption(format: .pgBackRest, key: "repo"))
        #expect(repo.hasWAL && repo.isPhysical)
        let other = try #require(estate.services["postgres"]?.backups["other"])
        #expect(other.restore == RestoreCommand(restore: ["tool", "{backup}", "{data}"], fetchWAL: ["tool", "{wal}", "{path}"]))
        #expect(other.restore?.missingCodes == [1])
        let coded = try #require(try loadForeign(Self.fetch, Self.fetch + "        fetch-wal-missing: [74, 2]\n").0)
        #expect(coded.services["postgres"]?.backups["other"]?.restore?.missingCodes == [74, 2])
    }

    @Test func mistakesInOtherToolsBackups() throws {
        #expect(try loadForeign("        stanza: main\n", "").1 == ["missing key \"stanza\" in backup \"repo\""])
        #expect(try loadForeign("restore: [tool, \"{backup}\", \"{data}\"]", "restore: [tool]").1 == ["\"restore\" doesn't say {data}"])
        #expect(
            try loadForeign("\"{backup}\", \"{data}\"]", "\"{wal}\", \"{data}\"]").1 == ["\"restore\" can't know {wal}"])
        #expect(try loadForeign("\"{wal}\", \"{path}\"]", "\"{wal}\"]").1 == ["\"fetch-wal\" doesn't say {path}"])
        for wrong in ["[0]", "[256]", "[none]", "[74, x]"] {
            #expect(
                try loadForeign(Self.fetch, Self.fetch + "        fetch-wal-missing: \(wrong)\n").1
                    == ["\"fetch-wal-missing\" must hold exit codes from 1 to 255"])
        }
        #expect(try loadForeign(Self.fetch, "        fetch-wal-missing: [74]\n").1 == ["\"fetch-wal-missing\" without \"fetch-wal\""])
        #expect(
            try loadForeign("        stanza: main\n", "        stanza: main\n        fetch-wal-missing: [74]\n").1
                == ["\"fetch-wal-missing\" does not fit kind \"pgbackrest\""])
        #expect(
            try loadForeign("match: other/*\n", "match: other/*\n        stanza: x\n").1 == ["\"stanza\" does not fit kind \"command\""])
        #expect(
            try loadForeign("format: pgbackrest", "format: openssl").1
                == ["this format of \"encryption\" does not fit kind \"pgbackrest\""])
        #expect(
            try loadForeign("stanza: main\n", "stanza: main\n        restore: [x, \"{data}\"]\n").1
                == ["\"restore\" does not fit kind \"pgbackrest\""])
    }

    @Test func placeholdersStayInTheirArguments() {
        let filled = RestoreCommand.filled(
            ["a {data} b", "{name}{target}", "{unknown} {"], with: [.data: "/x y", .name: "{target}", .target: "t"])
        #expect(filled == ["a /x y b", "{target}t", "{unknown} {"])
    }
}
