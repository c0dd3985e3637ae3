// What people's own `openssl enc` lines write, and what is put around encrypted files: read, or named with the mend, by the built binary.

import Foundation
import Testing

/// A snapshot of the lab's, encrypted by a shell line; an estate of format openssl and a drill of it.
struct FormStore {
    let fixture: Fixture
    let folder: URL

    init(on fixture: Fixture) async throws {
        self.fixture = fixture
        folder = fixture.folder.appendingPathComponent("forms")
        try FileManager.default.createDirectory(at: folder.appendingPathComponent("own"), withIntermediateDirectories: true)
        try await fixture.decrypt(try fixture.newest("redis"), to: folder.appendingPathComponent("plain"))
        try Data("a passphrase of some length\n".utf8).write(to: folder.appendingPathComponent("key"))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: folder.appendingPathComponent("key").path)
        try declare("format: openssl, key: own")
        let drill = """
            version: 1
            drill: own
            estate: estate.yaml
            scenario: database-corruption
            profile: fast
            recover: {redis: {from: own, select: latest}}
            checks: {redis: [{keys: {pattern: "*", at-least: 1}}]}

            """
        try Data(drill.utf8).write(to: drillFile)
    }

    var drillFile: URL { folder.appendingPathComponent("drill.yaml") }

    func declare(_ encryption: String) throws {
        let estate = """
            version: 1
            estate: forms
            stores: {own: {type: file, path: own}}
            keys: {own: {file: key}}
            services: {redis: {engine: redis, backups: {own: {kind: rdb, store: own, match: "b.*", encryption: {\(encryption)}}}}}

            """
        try Data(estate.utf8).write(to: folder.appendingPathComponent("estate.yaml"))
    }

    /// Runs where `plain` lies; leaves `own/b.rdb.enc`.
    func write(_ script: String) async throws {
        let lines = "cd '\(folder.path)'; umask 077; rm -f own/*; exec 2>/dev/null\n"
        try await Program.require(["sh", "-ec", lines + script])
    }

    func openssl(_ options: String) async throws {
        try await write("openssl enc \(options) -pass file:key -in plain -out own/b.rdb.enc")
    }

    func inspect(_ more: String...) async throws -> Outcome {
        try await fixture.run(["inspect", folder.appendingPathComponent("estate.yaml").path] + more)
    }
}

struct EncryptionFormTests {
    /// Each way that `openssl enc` can be called: red, and the hint is the very line that makes it green.
    @Test func whatOpensslWasGivenIsNamedAndCanBeDeclared() async throws {
        try await Fixture.with { fixture in
            let store = try await FormStore(on: fixture)
            for (options, mend, isWeak) in [
                ("-aes-256-cbc -iter 250000", "iterations: 250000", false), ("-aes-256-cbc", "derivation: evp-bytes-to-key", true),
                ("-aes-256-cbc -md md5", "derivation: evp-bytes-to-key, digest: md5", true),
                ("-aes-256-cbc -pbkdf2 -iter 2 -md sha512", "iterations: 2, digest: sha512", true),
            ] {
                try await store.openssl(options)
                try store.declare("format: openssl, key: own")
                let red = try await fixture.expect(store.drillFile, code: 2, rule: ["decryption-failed"])
                #expect(red.findings.contains { $0.hint.contains("encryption: {format: openssl, key: …, \(mend)}") }, "\(options)")
                try store.declare("format: openssl, key: own, \(mend)")
                let (green, report) = try await fixture.drill(store.drillFile)
                #expect(green.code == 0, "\(options) \(green.text)")
                #expect(report.drills.first?.findings.contains { $0.rule == "key-derivation-weak" } == isWeak, "\(options)")
                let looked = try await store.inspect()
                #expect(looked.code == 0 && looked.out.contains("key-derivation-weak") == isWeak, "\(options) \(looked.text)")
            }
        }
    }

    /// Never "cut short: upload it again", and never "try the key of that day".
    @Test func anotherCipherIsNamed() async throws {
        try await Fixture.with { fixture in
            let store = try await FormStore(on: fixture)
            for cipher in ["aes-256-ctr", "chacha20", "aes-128-cbc", "camellia-256-cbc"] {
                try await store.openssl("-\(cipher) -pbkdf2")
                let drill = try await fixture.expect(store.drillFile, code: 2, rule: ["encryption-form-unsupported"])
                #expect(drill.findings.contains { $0.message.contains(cipher) }, "\(cipher)")
            }
        }
    }
}

extension EncryptionFormTests {
    /// Base64 is read; what is around an encrypted file is named in a drill and in both inspections, and nobody is told that it is disclosed.
    @Test func whatIsAroundIsReadOrNamed() async throws {
        try await Fixture.with { fixture in
            let store = try await FormStore(on: fixture)
            let enc = "openssl enc -aes-256-cbc -pbkdf2 -pass file:key -in plain"
            for options in ["-a", "-a -A"] {
                try await store.openssl("-aes-256-cbc -pbkdf2 \(options)")
                let (green, _) = try await fixture.drill(store.drillFile)
                #expect(green.code == 0, "\(options) \(green.text)")
                let looked = try await store.inspect()
                #expect(looked.code == 0, "\(options) \(looked.text)")
            }
            for script in [
                "\(enc) | gzip > own/b.rdb.enc", "\(enc) | zstd -q > own/b.rdb.enc", "\(enc) > x; tar cf own/b.rdb.enc x",
                "\(enc) > x; tar czf own/b.rdb.enc x", "age-keygen -o k; age -r $(age-keygen -y k) plain | base64 > own/b.rdb.enc",
            ] {
                try await store.write(script)
                let drill = try await fixture.expect(store.drillFile, code: 2, rule: ["encryption-form-unsupported"])
                #expect(!drill.findings.contains { $0.hint.contains("disclosed") }, "\(script)")
                for more in [[], ["--deep"]] {
                    let looked = try await fixture.run(["inspect", store.folder.appendingPathComponent("estate.yaml").path] + more)
                    #expect(looked.code == 1 && looked.out.contains("encryption-form-unsupported"), "\(script) \(looked.text)")
                    #expect(!looked.out.contains("artifact-not-encrypted"), "\(script) \(looked.text)")
                }
                let listed = try await store.inspect("--list")
                #expect(listed.out.contains("packed: an ") && !listed.out.contains("PLAIN"), "\(script) \(listed.text)")
                let json = try await store.inspect("--list", "--format", "json")
                #expect(json.out.contains("\"encryption\" : \"packed\""), "\(script) \(json.text)")
            }
            try await store.openssl("-aes-256-cbc -pbkdf2 -nosalt")
            let bare = try await fixture.expect(store.drillFile, code: 1, rule: ["artifact-unknown-kind"])
            #expect(bare.findings.contains { $0.hint.contains("-nosalt") })
            let looked = try await store.inspect()
            #expect(looked.code == 1 && looked.out.contains("-nosalt") && !looked.out.contains("artifact-not-encrypted"), "\(looked.text)")
        }
    }

    /// Below the same layers in plain text: the alarm stands.
    @Test func plainTextBelowIsDisclosed() async throws {
        try await Fixture.with { fixture in
            let store = try await FormStore(on: fixture)
            for script in [
                "gzip -c plain > own/b.rdb.enc", "base64 plain > own/b.rdb.enc", "cp plain own/b.rdb.enc",
                "openssl enc -aes-256-cbc -pbkdf2 -pass file:key -in plain > x; tar czf own/b.rdb.enc x plain",
            ] {
                try await store.write(script)
                try await fixture.expect(store.drillFile, code: 1, rule: ["artifact-not-encrypted"])
                let looked = try await store.inspect()
                #expect(looked.code == 1 && looked.out.contains("artifact-not-encrypted"), "\(script) \(looked.text)")
                let listed = try await store.inspect("--list")
                #expect(listed.out.contains("PLAIN: ") || script.hasPrefix("base64"), "\(script) \(listed.text)")
                #expect(!listed.out.contains("packed:"), "\(script) \(listed.text)")
            }
        }
    }
}
