// `muster inspect --deep` of a set's write-ahead log: every file of every store opened, every record read.

import BackupCatalog
import Cryptography
import DrillEngine
import DrillModel
import Foundation
import PhysicalRecovery
import ScratchHost

extension DeepInspection {
    /// - Returns: nil where the set has no archive, or none that could be listed: another case tells of that.
    func readWAL() async throws -> CaseResult? {
        guard let archive = set.wal, let listings = survey.wal else { return nil }
        let stored = listings.compactMap { listing in (try? listing.files.get()).map { (listing.store, $0) } }.filter { !$0.1.isEmpty }
        guard !stored.isEmpty else { return nil }
        let name = "\(set.name): the write-ahead log reads to its end"
        let started = ContinuousClock.now
        let total = Int64(stored.reduce(0) { $0 + $1.1.count })
        var findings: [Finding] = []
        var errors: [Finding] = []
        let decryption: ArtifactStream.Encryption?
        do throws(DrillFailure) {
            decryption = try Keyring(estate).decryption(of: archive.encryption)
        } catch {
            return judged(name, [], [error.finding], since: started)
        }
        var done: Int64 = 0
        for (store, files) in stored {
            let outcome = try await withHost { host in
                let folder = try host.folder.privateFolder("wal")
                let known = Dictionary(files.map { ($0.name, $0) }) { first, _ in first }
                let reading = WALReading(host: host, folder: folder, encryption: decryption)
                return try await reading.read(known.mapValues(\.location)) { name in
                    if store.remote != nil, let file = known[name] { try await stores.bring([file], of: set) }
                } release: { name in
                    if store.remote != nil, let file = known[name] { try? FileManager.default.removeItem(at: file.location) }
                    done += 1
                    hub.emit(
                        .progress(
                            DrillModel.Progress(
                                step: .verify, service: set.service, label: "reading the write-ahead log of \(set.name)",
                                completed: done, total: total, unit: .files)))
                }
            }
            findings += outcome.findings.map { $0.named(in: store, of: listings) }
            errors += outcome.errors
        }
        return judged(name, Array(findings.prefix(100)), errors, since: started)
    }
}

extension Finding {
    /// Its file with the name of its store, where there are several.
    fileprivate func named(in store: Store, of listings: [WALPromises.Listing]) -> Finding {
        guard listings.count > 1 else { return self }
        var finding = self
        finding.object = "\(store.name):\(object)"
        return finding
    }
}
