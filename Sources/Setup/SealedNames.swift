// The names that the seals of a series carry, for an estate that is drafted by somebody who calls things otherwise.

import Cryptography
import DrillModel
import Foundation
import Seals

/// What seals say of their source.
struct SealedNames: Sendable, Hashable {
    var estates: Set<String> = []
    var services: Set<String> = []
    var backups: Set<String> = []

    /// So many of the last by name are read: they are large, and alike.
    private static let mostRead = 20

    init() {}

    /// Reads the seals beside the artifacts of a found series, as far as a key vouches for them.
    init(of set: FoundSet, below root: URL, trusted: Ed25519PublicKey) {
        for path in set.paths.suffix(Self.mostRead) {
            guard let seal = SealFile.read(besides: root.appendingPathComponent(path), trusted: [trusted]).seal else { continue }
            estates.insert(seal.estate)
            services.insert(seal.service)
            backups.insert(seal.backup)
        }
    }
}
