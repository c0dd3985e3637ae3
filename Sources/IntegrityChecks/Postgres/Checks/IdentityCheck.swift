// Asks whether texts are stored and sorted as in the source.

import DrillModel
import PostgresClient

extension Rule {
    static let encodingDiffers = Rule("encoding-differs")
    static let collationDiffers = Rule("collation-differs")
    static let majorVersionDiffers = Rule("major-version-differs")
    static let minorVersionOlder = Rule("minor-version-older")
}

/// Encoding, collation and major version against the seal.
struct IdentityCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        let name = "encoding and collation"
        guard let sealed = context.seal?.identity else { return await context.skip(.schema, name, context.unsealedReason) }
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let found = try await context.inventory.identity()
            await context.judge(.schema, name, since: start, Self.findings(sealed, found))
        } catch {
            await context.fail(.schema, name, since: start, object: context.service, error)
        }
    }

    static func findings(_ sealed: PostgresIdentity, _ found: PostgresIdentity) -> [Finding] {
        var findings: [Finding] = []
        if sealed.encoding != found.encoding {
            findings.append(
                Finding(
                    .encodingDiffers, object: "database", expected: sealed.encoding, actual: found.encoding,
                    message: "texts are stored in another encoding than in the source",
                    hint: "create the database with the source's encoding before restoring into it (pg_restore --create does)"))
        }
        let (old, new) = (collation(sealed), collation(found))
        if old != new {
            // The machine's locales, not the backup, decide whether it can be the same.
            findings.append(
                Finding(
                    .collationDiffers, .warning, object: "database", expected: old, actual: new,
                    message: "texts sort otherwise than in the source, so sort orders were not proven",
                    hint: "install the source's locale, here and on the machine that you would recover to"))
        }
        let (from, to) = (sealed.serverVersion / 10000, found.serverVersion / 10000)
        if from != to {
            findings.append(
                Finding(
                    .majorVersionDiffers, .note, object: "server", expected: "PostgreSQL \(from)", actual: "PostgreSQL \(to)",
                    message: "the backup was restored by another major version than it came from",
                    hint: "install PostgreSQL \(from) to rehearse what production would do"))
        }
        if from == to, found.serverVersion < sealed.serverVersion {
            let (source, here) = (sealed.serverVersion % 10000, found.serverVersion % 10000)
            findings.append(
                Finding(
                    .minorVersionOlder, .note, object: "server", expected: "PostgreSQL \(from).\(source)",
                    actual: "PostgreSQL \(to).\(here)",
                    message: "the backup was restored by an older minor release than it came from, without that one's mends",
                    hint: "update PostgreSQL \(to) here, or name the bin folder of the source's release in MUSTER_PG_BIN"))
        }
        return findings
    }

    private static func collation(_ identity: PostgresIdentity) -> String {
        // `C.UTF-8`, `C.utf8` and the like are one locale under two spellings.
        func plain(_ name: String) -> String { name.lowercased().filter { $0 != "-" } }
        let locale = identity.locale.map { ", \($0)" } ?? ""
        return "\(identity.localeProvider): \(plain(identity.collate)), \(plain(identity.ctype))\(locale)"
    }
}
