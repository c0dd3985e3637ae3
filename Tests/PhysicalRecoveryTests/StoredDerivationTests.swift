// A segment that `openssl enc` wrote otherwise than the estate says: how, and never only "try another key".

import Cryptography
import Foundation
import Testing

@testable import PhysicalRecovery

@Suite struct StoredDerivationTests {
    @Test(arguments: [
        ("-aes-256-cbc -iter 50000", "iterations: 50000"), ("-aes-256-cbc -md md5", "derivation: evp-bytes-to-key, digest: md5"),
        ("-aes-256-ctr -pbkdf2", "aes-256-ctr is not read"),
    ])
    func isNamed(options: String, hint: String) throws {
        let folder = URL(fileURLWithPath: "/tmp/mt-derivation-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-ec",
            "cd '\(folder.path)'; echo '{ \"PostgreSQL-Backup-Manifest-Version\": 1, \"Files\": [] }' > plain; "
                + "openssl enc \(options) -pass pass:word -in plain -out stored 2>/dev/null",
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let key = ArtifactStream.Encryption(passphrase: Secret("word"))
        let file = StoredFile(location: folder.appendingPathComponent("stored"), encryption: key)
        let problem = #expect(throws: StoredFileProblem.self) { try file.decrypted(nil) { _ in } }
        #expect(problem?.kind == .undecryptable && problem?.hint.contains(hint) == true, "\(problem as Any)")
    }
}
