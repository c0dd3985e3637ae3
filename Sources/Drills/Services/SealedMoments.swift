// The sealed moments of one set that a drill may recover to.

public import BackupAccess
import BackupCatalog
public import DrillModel
public import Foundation
import Reports

/// What lies beside a write-ahead log's archive, asked for an incident.
public struct SealedMoments: Sendable {
    /// One whose seal holds.
    public struct Named: Sendable, Hashable {
        /// Relative to its store's root.
        public var path: String
        public var seal: Seal
    }

    var source: ServiceBackups

    public init(source: ServiceBackups) { self.source = source }

    /// Those of before an incident, the newest first.
    public func usable(before disaster: Date) async throws(DrillFailure) -> [Named] { try await survey(before: disaster).moments }

    /// - Returns: Beside them, what is wrong with others.
    /// - Throws: ``DrillFailure`` where there is none.
    func survey(before disaster: Date) async throws(DrillFailure) -> (moments: [Named], result: CaseResult) {
        let set = source.set
        let all = try await source.catalogue().moments()
        let named = all.compactMap { stored in stored.seal.map { Named(path: stored.path, seal: $0) } }
        let broken = all.compactMap { stored -> Finding? in if case .broken(let finding) = stored.state { finding } else { nil } }
        let unread = all.compactMap { stored -> Finding? in if case .unread(let finding) = stored.state { finding } else { nil } }
        let usable = named.filter { $0.seal.snapshotTime <= disaster }
        let name = "the sealed moments hold"
        guard !usable.isEmpty else {
            if let finding = unread.first, named.isEmpty { throw .error(finding) }
            if let finding = broken.first, named.isEmpty { throw .failed(finding) }
            throw .failed(
                Finding(
                    .momentMissing, object: "\(set.service)/\(set.name)", expected: "a sealed moment from before the incident",
                    actual: named.isEmpty ? "none matches \(set.momentMatch)" : "\(Readable.count(named.count, "moment")), all younger",
                    message: "the drill recovers to a sealed moment, and there is none",
                    hint: named.isEmpty
                        ? "seal one beside the write-ahead log: muster seal --moment --wait 10m --service \(set.service) --backup \(set.name)"
                        : "check the incident's time and zone in the drill file"))
        }
        if broken.isEmpty, let finding = unread.first {
            return (usable, .unasked(.backup, service: set.service, name: name, finding: finding))
        }
        return (usable, .judged(.backup, service: set.service, name: name, findings: broken))
    }
}
