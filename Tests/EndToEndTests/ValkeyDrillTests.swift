// A Valkey 9's snapshot, drilled by the built program: which server is taken, and what is said where there is none.

import Foundation
import Glibc
import ServerVersions
import Testing

enum ValkeyProgram {
    static let bin = Installation.valkey91.bin

    static var isHere: Bool { bin != nil || Program.inCI }
}

@Suite(.enabled(if: ValkeyProgram.isHere, "no valkey 9 is here: scripts/setup-tests brings one"))
struct ValkeyDrillTests {
    @Test func theServerIsChosenByTheFile() async throws {
        try await Fixture.with { fixture in
            let bin = try #require(ValkeyProgram.bin)
            let store = fixture.folder.appendingPathComponent("v")
            try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
            try await Program.require([
                "sh", "-c",
                "cd '\(store.path)' && (printf 'SET a 1\\r\\nSET b 2\\r\\nSAVE\\r\\nSHUTDOWN NOSAVE\\r\\n' > in) && "
                    + "'\(bin)/valkey-server' --port 0 --unixsocket \(store.path)/s --save '' --daemonize yes --logfile log && "
                    + "for i in 1 2 3 4 5 6 7 8 9; do [ -S s ] || sleep 0.3; done; redis-cli -s s < in; rm -f in log s; test -f dump.rdb",
            ])
            func estate(_ more: String) throws -> URL {
                let folder = fixture.folder.appendingPathComponent("e\(more.count)")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                let estate = """
                    version: 1
                    estate: shop
                    stores: {nas: {type: file, path: "\(store.path)"}}
                    services:
                      cache:
                        engine: redis\(more)
                        backups: {rdb: {kind: rdb, store: nas, match: "*.rdb", encryption: none}}

                    """
                let drill = """
                    version: 1
                    drill: valkey
                    estate: estate.yaml
                    scenario: database-corruption
                    recover: {cache: {from: rdb}}
                    checks: {cache: [{keys: {pattern: "*", at-least: 2}}]}

                    """
                try Data(estate.utf8).write(to: folder.appendingPathComponent("estate.yaml"))
                try Data(drill.utf8).write(to: folder.appendingPathComponent("drill.yaml"))
                return folder
            }
            let plain = try estate("")
            let named = try estate("\n    binaries: \(bin)")
            for (folder, environment) in [(plain, ["MUSTER_REDIS_BIN": bin]), (named, [:])] {
                let (outcome, _) = try await fixture.drill(folder.appendingPathComponent("drill.yaml"), environment: environment)
                #expect(outcome.code == 0, "\(outcome.text)")
                let looked = try await fixture.run(["doctor", folder.appendingPathComponent("estate.yaml").path], environment: environment)
                #expect(looked.code == 0 && looked.out.contains("✓ valkey-server 9.1"), "\(looked.text)")
            }
            // With the system's Redis alone: this machine's fault, and no damage.
            let failed = try await fixture.expect(plain.appendingPathComponent("drill.yaml"), code: 2, rule: ["redis-too-old"])
            #expect(failed.findings.contains { $0.message.contains("valkey 9.1") && $0.hint.contains("MUSTER_REDIS_BIN") })
            let lacking = try await fixture.run(["doctor", plain.appendingPathComponent("estate.yaml").path])
            #expect(lacking.code == 2 && lacking.out.contains("✗ a server for cache/rdb"), "\(lacking.text)")
        }
    }
}
