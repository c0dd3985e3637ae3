// Artifacts in the formats beside `openssl enc`, made by openssl cms, age and gpg themselves.

import ArtifactFormats
import Cryptography
import DrillModel
import FileRecovery
import Foundation
import Glibc
import ScratchHost
import ServerVersions
import Testing

/// A format, how the standard tools make a file of it in the store, and its right and wrong keys.
struct Sample: Sendable, CustomTestStringConvertible {
    var name: String
    var format: ArtifactStream.Encryption.Format
    /// Makes `right` and `wrong`, the files of two keys, and `a.enc` out of `a.sql`.
    var make: String
    var isAuthenticated = true

    var testDescription: String { name }

    private static let pairs = """
        for n in right wrong; do openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=$n -days 9 -keyout $n -out $n.crt 2>/dev/null; done

        """
    private static let identities = "age-keygen -o right 2>/dev/null; age-keygen -o wrong 2>/dev/null\n"
    private static let rings = """
        for n in wrong right; do
        export GNUPGHOME=/tmp/mg-$$-$n; mkdir -m 700 $GNUPGHOME
        gpg --batch --quiet --passphrase '' --quick-gen-key $n@example.org future-default default never 2>/dev/null
        gpg --batch --armor --export-secret-keys > $n 2>/dev/null
        [ $n = wrong ] || gpg --batch --quiet --trust-model always EXTRA -e -r $n@example.org -o a.enc a.sql
        gpgconf --kill all; rm -rf $GNUPGHOME
        done

        """
    private static let phrase = """
        export GNUPGHOME=/tmp/mg-$$; mkdir -m 700 $GNUPGHOME; echo 'correct horse' > right; echo 'battery staple' > wrong
        gpg --batch --quiet --pinentry-mode loopback --passphrase-file right -c -o a.enc a.sql
        gpgconf --kill all; rm -rf $GNUPGHOME

        """
    private static let cms = "openssl cms -encrypt -binary -stream -outform DER -in a.sql -out a.enc"

    static let all = [
        Sample(name: "cms gcm", format: .cms, make: pairs + cms + " -aes-256-gcm right.crt"),
        Sample(name: "cms cbc", format: .cms, make: pairs + cms + " -aes-256-cbc right.crt", isAuthenticated: false),
        Sample(name: "age", format: .age, make: identities + "age -r $(age-keygen -y right) -o a.enc a.sql"),
        Sample(name: "age armored", format: .age, make: identities + "age -a -r $(age-keygen -y right) -o a.enc a.sql"),
        Sample(name: "gpg key", format: .gpg, make: rings.replacing("EXTRA", with: "")),
        Sample(name: "gpg key armored", format: .gpg, make: rings.replacing("EXTRA", with: "--armor")),
        Sample(name: "gpg passphrase", format: .gpg, make: phrase),
    ]

    /// OCB packets (tag 20), which only GnuPG 2.4 writes; the machine's own gpg opens them. Small chunks, so that there are many tags.
    static let ocb: [Sample] = {
        guard let gpg = Installation.gnuPG24.bin.map({ "\($0)/gpg" }) else { return [] }
        let force = "--force-ocb --chunk-size 12"
        return [
            Sample(
                name: "gpg OCB key", format: .gpg,
                make: rings.replacing("EXTRA", with: force).replacing("|| gpg", with: "|| \(gpg) 2>/dev/null")),
            Sample(
                name: "gpg OCB passphrase", format: .gpg,
                make: phrase.replacing("-c -o", with: "\(force) -c -o ").replacing("gpg --batch", with: "\(gpg) --batch")),
        ]
    }()

    /// Makes the files and gives the two keys.
    func make(on fixture: Fixture, plain: [UInt8] = script(300_000)) throws -> (
        right: ArtifactStream.Encryption, wrong: ArtifactStream.Encryption
    ) {
        try fixture.file("a.sql", plain)
        try fixture.shell("umask 077\n" + make)
        func key(_ name: String) throws -> ArtifactStream.Encryption {
            var bytes = Array(try Data(contentsOf: fixture.store.appendingPathComponent(name)))
            if bytes.last == 10 { bytes.removeLast() }
            let made = ArtifactStream.Encryption(format, key: Secret(bytes))
            try made.checkKey()
            return made
        }
        return (try key("right"), try key("wrong"))
    }
}

@Suite struct FormatsTests {
    @Test(arguments: Sample.all + Sample.ocb)
    func whatTheToolsWroteComesBack(sample: Sample) async throws {
        try await Fixture.with { fixture in
            let plain = script(300_000)
            let keys = try sample.make(on: fixture, plain: plain)
            try fixture.shell("cp a.enc g.enc")
            let point = try await fixture.point("a.enc", seal: true, globals: nil)
            let result = try await fixture.retrieve(point, key: keys.right)
            #expect(Array(try Data(contentsOf: result.location)) == plain)
            #expect(result.storedSHA256 == point.sealState.seal?.artifact.sha256 && result.storedBytes == point.size)
            #expect(result.isAuthenticated == sample.isAuthenticated)
            nothingStayed(fixture)
        }
    }

    @Test(arguments: Sample.all + Sample.ocb)
    func aWrongKeyIsToldFromDamageWhereASealHelps(sample: Sample) async throws {
        try await Fixture.with { fixture in
            let keys = try sample.make(on: fixture)
            let bare = await fixture.failure(of: try await fixture.point("a.enc"), key: keys.wrong)
            #expect(bare?.verdict == .failed && bare?.finding.rule.name == "decryption-failed", "\(String(describing: bare))")
            let sealed = await fixture.failure(of: try await fixture.point("a.enc", seal: true), key: keys.wrong)
            #expect(sealed?.finding.rule.name == "decryption-failed" && sealed?.finding.hint.contains("the key is wrong") == true)
            #expect(!fixture.left.contains("artifact"))
            nothingStayed(fixture)
        }
    }

    @Test(arguments: Sample.all + Sample.ocb)
    func aChangedByteIsNoticed(sample: Sample) async throws {
        try await Fixture.with { fixture in
            let keys = try sample.make(on: fixture)
            var point = try await fixture.point("a.enc", seal: true)
            var bytes = Array(try Data(contentsOf: point.location))
            // In armor, a letter stays a letter.
            let place = bytes.count / 2 + (bytes[bytes.count / 2] == 10 ? 1 : 0)
            bytes[place] = bytes[place] == 65 ? 66 : 65
            try fixture.file("a.enc", bytes)
            let sealed = await fixture.failure(of: point, key: keys.right)
            #expect(sealed?.verdict == .failed && sealed?.finding.rule.name == "artifact-digest-differs", "\(String(describing: sealed))")
            point.sealState = .missing
            let bare = await fixture.failure(of: point, key: keys.right)
            if sample.isAuthenticated {
                #expect(bare?.verdict == .failed && bare?.finding.rule.name == "decryption-failed", "\(String(describing: bare))")
            } else {
                #expect(bare == nil, "this format has no way to notice it")
            }
            nothingStayed(fixture)
        }
    }

    @Test(arguments: Sample.all + Sample.ocb, [0, 5, 300, -1, -70_000])
    func aCutFileNeverPasses(sample: Sample, size: Int) async throws {
        try await Fixture.with { fixture in
            // The last byte of armor is a line's end, and missed by nobody.
            if sample.name.hasSuffix("armored"), size == -1 { return }
            let keys = try sample.make(on: fixture)
            let whole = try await fixture.point("a.enc", seal: true)
            try fixture.shell("truncate -s \(size) a.enc")
            var point = try await fixture.point("a.enc")
            let bare = await fixture.failure(of: point, key: keys.right)
            let rules = ["artifact-empty", "artifact-truncated", "decryption-failed"]
            #expect(bare?.verdict == .failed && rules.contains(bare?.finding.rule.name ?? ""), "\(String(describing: bare))")
            if sample.format == .cms, size != 0 { #expect(bare?.finding.rule.name == "artifact-truncated") }
            point.sealState = whole.sealState
            let sealed = await fixture.failure(of: point, key: keys.right)
            #expect(["artifact-empty", "artifact-truncated"].contains(sealed?.finding.rule.name ?? ""), "\(String(describing: sealed))")
            nothingStayed(fixture)
        }
    }

    @Test func declarationAndFileMustAgree() async throws {
        try await Fixture.with { fixture in
            let keys = try Sample.all[0].make(on: fixture)
            let other = await fixture.failure(of: try await fixture.point("a.enc"), key: Fixture.key)
            #expect(other?.finding.rule.name == "encryption-differs" && other?.finding.hint.contains("format: cms") == true)
            let undeclared = await fixture.failure(of: try await fixture.point("a.enc"))
            #expect(undeclared?.finding.rule.name == "artifact-still-encrypted" && undeclared?.finding.hint.contains("cms") == true)
            let plain = await fixture.failure(of: try await fixture.point("a.sql"), key: keys.right)
            #expect(plain?.finding.rule.name == "artifact-not-encrypted")
            for form in ["PEM", "SMIME"] {
                try fixture.shell("openssl cms -encrypt -binary -outform \(form) -in a.sql -out a.enc -aes-256-gcm right.crt")
                let text = await fixture.failure(of: try await fixture.point("a.enc"), key: keys.right)
                #expect(text?.verdict == .error && text?.finding.rule.name == "encryption-form-unsupported")
            }
        }
    }

    /// What is no key of anybody's, or asks a person, is this machine's matter and not the backup's.
    @Test func keysThatCantBeUsed() async throws {
        try await Fixture.with { fixture in
            _ = try Sample.all[4].make(on: fixture)
            try fixture.shell(
                """
                export GNUPGHOME=/tmp/mg-$$; mkdir -m 700 $GNUPGHOME
                gpg --batch --quiet --pinentry-mode loopback --passphrase abc --quick-gen-key l@example.org future-default default never 2>/dev/null
                gpg --batch --armor --pinentry-mode loopback --passphrase abc --export-secret-keys > locked
                gpg --batch --quiet --trust-model always -e -r l@example.org -o l.enc a.sql
                gpgconf --kill all; rm -rf $GNUPGHOME
                """)
            let locked = ArtifactStream.Encryption(.gpg, key: Secret(try Data(contentsOf: fixture.store.appendingPathComponent("locked"))))
            let failure = await fixture.failure(of: try await fixture.point("l.enc"), key: locked)
            #expect(failure?.verdict == .error && failure?.finding.rule.name == "key-unusable", "\(String(describing: failure))")
            let half = ArtifactStream.Encryption(
                .gpg, key: Secret("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nabcd\n-----END PGP PRIVATE KEY BLOCK-----"))
            let broken = await fixture.failure(of: try await fixture.point("l.enc"), key: half)
            #expect(broken?.verdict == .error && broken?.finding.rule.name == "key-unusable", "\(String(describing: broken))")
            for text in ["password", "AGE-SECRET", ""] {
                #expect(throws: CryptographyError.self) { try ArtifactStream.Encryption(.age, key: Secret(text)).checkKey() }
            }
            nothingStayed(fixture)
        }
    }

    /// A message without any integrity protection (tag 9): 2.2 says DECRYPTION_INFO 0 9 0 of it, as of OCB.
    @Test func aMessageWithoutProtectionIsRefused() async throws {
        try await Fixture.with { fixture in
            let keys = try Sample.all[6].make(on: fixture)
            try fixture.shell(
                """
                export GNUPGHOME=/tmp/mg-$$; mkdir -m 700 $GNUPGHOME
                gpg --batch --quiet --pinentry-mode loopback --passphrase-file right --rfc2440 --cipher-algo AES256 -c -o bare.enc a.sql 2>/dev/null
                gpgconf --kill all; rm -rf $GNUPGHOME
                """)
            let failure = await fixture.failure(of: try await fixture.point("bare.enc"), key: keys.right)
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "decryption-failed", "\(String(describing: failure))")
            #expect(!fixture.left.contains("artifact"))
        }
    }

    /// gpg ends with 0 where a message was never encrypted: its status, not its exit, is believed.
    @Test func anUnencryptedMessageIsNoEncryptedOne() async throws {
        try await Fixture.with { fixture in
            let keys = try Sample.all[6].make(on: fixture)
            try fixture.shell(
                """
                export GNUPGHOME=/tmp/mg-$$; mkdir -m 700 $GNUPGHOME; gpg --batch --quiet --armor --store -o s.enc a.sql
                printf x > x; gpg --batch --quiet --armor -z 0 --store -o short.enc x; rm -rf $GNUPGHOME
                """)
            // The first shows it by its first line; the second has too little of it.
            for (name, rule) in [("s.enc", "artifact-not-encrypted"), ("short.enc", "decryption-failed")] {
                let failure = await fixture.failure(of: try await fixture.point(name), key: keys.right)
                #expect(failure?.verdict == .failed && failure?.finding.rule.name == rule, "\(String(describing: failure))")
            }
        }
    }

    /// No agent, no key ring, no pipe.
    private func nothingStayed(_ fixture: Fixture, location: SourceLocation = #_sourceLocation) {
        let parts = (try? FileManager.default.contentsOfDirectory(atPath: fixture.host.folder.url.path)) ?? []
        #expect(!parts.contains { $0.hasPrefix("k") }, "\(parts)", sourceLocation: location)
        for process in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(process) != nil {
            let line =
                (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))).map { String(decoding: $0, as: UTF8.self) } ?? ""
            #expect(!(line.contains("gpg-agent") && line.contains(fixture.host.folder.url.path)), sourceLocation: location)
        }
    }
}
