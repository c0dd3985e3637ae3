// A look below what is around artifacts that should be encrypted and don't begin so: encrypted and then packed is not disclosed.

import BackupCatalog
import BackupPolicy
import DrillModel
import FileRecovery
import Foundation
import ScratchHost

extension SetSurvey {
    /// So many of the newest are unpacked: what is around one of a series is around all of it.
    private static let mostUnpacked = 20
    /// So much of a remote object is fetched for it.
    private static let fetched = 1 << 20

    /// Says of artifacts that nobody would take for encrypted whether they are, below a compression, base64 or a tar. Where this machine
    /// can't look, they stay what they seem to be.
    ///
    /// - Throws: `CancellationError`.
    mutating func lookInside(from root: ScratchRoot, in stores: RemoteStores) async throws {
        guard set.encryption != nil, [.pgDump, .rdb, .aof, .env, .gitBundle].contains(set.kind) else { return }
        let places = series.moments.indices.reversed().flatMap { moment in
            series.moments[moment].copies.indices.map { (moment: moment, copy: $0) }
        }
        let suspects = places.filter { Self.isSuspect(series.moments[$0.moment].copies[$0.copy]) }.prefix(Self.mostUnpacked)
        guard !suspects.isEmpty, let host = try? await ScratchHost.prepare(in: root, purpose: "inspection of \(set.service)/\(set.name)")
        else { return }
        do {
            for place in suspects {
                try Task.checkCancellation()
                let point = series.moments[place.moment].copies[place.copy].point
                let found = try await enclosure(of: point, on: host, in: stores)
                series.moments[place.moment].copies[place.copy].content?.enclosure = found
            }
            try? await host.remove()
        } catch {
            try? await host.remove()
            throw error
        }
    }

    private static func isSuspect(_ copy: StoredCopy) -> Bool {
        switch copy.content?.kind {
        case .plain?: true
        // Noise has no layers; text may be base64.
        case .unknown?: copy.content?.entropy.map { $0 < 6.5 } ?? true
        default: false
        }
    }

    private func enclosure(
        of point: RecoveryPoint, on host: ScratchHost, in stores: RemoteStores
    ) async throws -> StoredContent.Enclosure? {
        do {
            let folder = try host.folder.privateFolder("look")
            defer { try? FileManager.default.removeItem(at: folder) }
            var file = point.location
            if let beginning = try await stores.beginning(of: point, count: Self.fetched) {
                file = folder.appendingPathComponent("stored")
                try Data(beginning).write(to: file)
            }
            guard case .encrypted(let enclosure) = try await EnclosedForm.look(at: file, on: host, in: folder) else { return nil }
            return enclosure
        } catch let error as CancellationError {
            throw error
        } catch {
            return nil
        }
    }
}
