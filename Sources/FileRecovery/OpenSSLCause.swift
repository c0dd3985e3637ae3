// Why a file of `openssl enc` doesn't open as the estate declares it: another derivation, another cipher, or none that was found.

import ArtifactFormats
import Cryptography
import DrillModel
import Foundation

/// What trying on a stored file's first bytes has told.
enum OpenSSLCause {
    /// - Parameter isCut: Whether its size is none that a file of the declared cipher has.
    /// - Returns: nil where nothing was found out: then the caller's own words stand.
    /// - Throws: `CancellationError`.
    static func failure(
        of file: URL, name: String, encryption: ArtifactStream.Encryption, isCut: Bool
    ) async throws -> DrillFailure? {
        guard encryption.format == .openssl else { return nil }
        let declared = encryption.cipher
        let guess: OpenSSLEncGuess?
        do {
            guess = try await OpenSSLEncGuess.find(
                in: file, passphrase: encryption.passphrase, declared: declared, fits: KnownBeginning.holds)
        } catch {
            if error.kind == .cancelled { throw CancellationError() }
            return nil
        }
        guard let guess else { return nil }
        guard guess.isRead else {
            return .error(
                Finding(
                    .encryptionFormUnsupported, object: name, expected: "aes-256-cbc with \(guess.made.words)", actual: guess.words,
                    message: "the stored file was written with \(guess.cipher), which muster doesn't read",
                    hint: "have the backup job use openssl enc -aes-256-cbc; until then decrypt it by hand: openssl enc -d -\(guess.cipher)"
                ))
        }
        // Nothing is wrong with the backup.
        if guess.made != declared {
            return .error(
                Finding(
                    .decryptionFailed, object: name, expected: "a file that opens with \(declared.words)",
                    actual: "one whose beginning opens with \(guess.made.words)",
                    message: "the key is right, and the estate declares another derivation than the file was written with",
                    hint: "write it into the estate file: \(guess.made.declaration)"))
        }
        guard !isCut else { return nil }
        // Another rule than a wrong key's: what is damaged says nothing of the night before.
        return .failed(
            Finding(
                .artifactDamaged, object: name, expected: "a file that opens with the estate's key",
                actual: "one whose beginning opens, and whose end doesn't", message: "the stored file doesn't decrypt to its end",
                hint: "the key is right, so the file is damaged or cut short: compare its size with the job's log, and fetch another copy"))
    }
}
