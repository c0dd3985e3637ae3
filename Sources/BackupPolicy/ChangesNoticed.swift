// Would a changed artifact be told from the right one, by its seal or by its own format?

public import DrillModel
import Foundation

extension Rule {
    static let encryptionUnauthenticated = Rule("encryption-unauthenticated")
}

/// Looks for artifacts that have neither a seal nor a format of encryption that proves its content.
enum ChangesNoticed {
    static func ask(_ series: BackupSeries, _ broken: inout BrokenArtifacts) -> [CaseResult] {
        // Physical backups have a manifest with a digest of each file; what another tool made is that tool's to prove.
        guard let encryption = series.set.encryption, [.pgDump, .rdb, .aof].contains(series.set.kind) else { return [] }
        let name = "a changed artifact would be noticed"
        let whole = series.allCopies.filter { !broken.contains($0.point) }
        guard !whole.isEmpty else { return [series.skipped(name, "every artifact has a finding of its own already")] }
        // Where others have a seal, the ones without have been told already, and the mend is the same.
        if whole.contains(where: { $0.point.sealState != .missing }), whole.contains(where: { $0.point.sealState == .missing }) {
            return [series.skipped(name, "some artifacts have no seal, as the case of the seals says")]
        }
        let bare = whole.filter { copy in
            let isEncrypted = if case .encrypted? = copy.content?.kind { true } else { false }
            return copy.point.sealState == .missing && isEncrypted && copy.content?.isAuthenticated == false
        }
        // One for the whole series: the mend is one as well.
        let finding = bare.isEmpty ? nil : Finding.unauthenticated(encryption.format, object: series.name, artifacts: bare.count)
        return [series.judged(name, finding.map { [$0] } ?? [])]
    }
}

extension Finding {
    /// The warning that goes with a format of encryption that holds no proof of its content.
    ///
    /// - Parameter artifacts: How many have no seal.
    public static func unauthenticated(_ format: Encryption.Format, object: String, artifacts: Int) -> Finding {
        let cms = format == .cms
        return Finding(
            .encryptionUnauthenticated, .warning, object: object, expected: "a seal, or a format that proves its content",
            actual: artifacts == 1 ? "an artifact with neither" : "\(artifacts) artifacts with neither",
            message: (cms ? "a CMS envelope with a cipher such as aes-256-cbc" : "openssl enc")
                + " can't tell a changed file from the right one, and nothing else vouches for these bytes",
            hint: "seal the backups: muster seal; or encrypt them with "
                + (cms ? "openssl cms -aes-256-gcm, age or gpg" : "format cms (openssl cms -aes-256-gcm), age or gpg"))
    }
}
