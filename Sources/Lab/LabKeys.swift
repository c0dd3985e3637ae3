// The lab's secrets: one passphrase for the backups, one pair of keys for the seals, one password of its Redis.

import Cryptography
import Foundation

/// Fresh for each lab, and readable by its owner only.
struct LabKeys: Sendable {
    var encryption: ArtifactStream.Encryption
    var signing: Ed25519PrivateKey

    static func make(in places: LabPlaces) throws -> LabKeys {
        try FileManager.default.createDirectory(
            at: places.keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var random = SystemRandomNumberGenerator()
        let passphrase = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }.hex
        let password = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }.hex
        let signing = try Ed25519PrivateKey.generate()
        try write(Data("\(passphrase)\n".utf8), to: places.passphrase, mode: 0o600)
        try write(Data("\(password)\n".utf8), to: places.redisPassword, mode: 0o600)
        try write(signing.pem().withBytes { Data($0) }, to: places.signingKey, mode: 0o600)
        try write(Data(signing.publicKey().pem().utf8), to: places.publicKey, mode: 0o644)
        return LabKeys(encryption: ArtifactStream.Encryption(passphrase: Secret(passphrase)), signing: signing)
    }

    private static func write(_ bytes: Data, to file: URL, mode: Int) throws {
        guard FileManager.default.createFile(atPath: file.path, contents: bytes, attributes: [.posixPermissions: mode]) else {
            throw LabError(.storage, "cannot write \(file.path)", hint: "check free space and permissions")
        }
    }
}
