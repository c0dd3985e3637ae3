// How a file of `openssl enc` was made, found by trying on its first bytes: the format itself doesn't say.

import COpenSSL
import Dispatch
public import Foundation
import Glibc

/// A cipher and a derivation under which a file's first bytes make sense.
public struct OpenSSLEncGuess: Sendable, Hashable {
    /// OpenSSL's name: `aes-256-cbc`, which is the one that is read, or another.
    public var cipher: String
    public var made: OpenSSLEncCipher

    /// Whether stating the derivation is all that it takes.
    public var isRead: Bool { cipher == Self.read }

    static let read = "aes-256-cbc"

    /// In words: `aes-256-cbc with pbkdf2, 100000 iterations of sha256`.
    public var words: String { "\(cipher) with \(made.words)" }

    /// Tries the derivations and ciphers that are in use. Most take milliseconds; all of them, where none fits, some seconds.
    ///
    /// - Parameters:
    ///   - declared: What the estate says: tried first.
    ///   - fits: Whether bytes begin as something known. It is asked a hundred thousand times, nearly always of noise: no more than one
    ///     noise in a billion may pass.
    /// - Returns: nil where nothing fits: the passphrase is another one, or the content is of no known kind.
    /// - Throws: `cancelled`, and what reading the file throws.
    public static func find(
        in file: URL, passphrase: Secret, declared: OpenSSLEncCipher, fits: @escaping @Sendable ([UInt8]) -> Bool
    ) async throws(CryptographyError) -> OpenSSLEncGuess? {
        try await BlockingWork.run(on: DispatchQueue(label: "muster.cryptography.guess")) { (flag) throws(CryptographyError) in
            let head = try ArtifactStream.head(of: file, count: sampleSize)
            return try find(head: head, passphrase: passphrase, declared: declared, cancelled: flag.isRaised, fits: fits)
        }
    }

    /// So many of a file's first bytes do.
    public static let sampleSize = 256

    /// As ``find(in:passphrase:declared:fits:)``, on the caller's own thread.
    public static func find(
        head: [UInt8], passphrase: Secret, declared: OpenSSLEncCipher, cancelled: () -> Bool, fits: ([UInt8]) -> Bool
    ) throws(CryptographyError) -> OpenSSLEncGuess? {
        var head = head
        if Base64Stream.begins(head) {
            var text = Base64Stream()
            var stored: [UInt8] = []
            _ = head.withUnsafeBytes { text.update($0, into: &stored) }
            head = stored
        }
        guard !passphrase.isEmpty, head.starts(with: OpenSSLEncCipher.magic), head.count >= 48 else { return nil }
        let salt = Array(head[8..<16])
        let trial = Trial(sample: Array(head[16...].prefix(64)))
        var key = [UInt8](repeating: 0, count: OpenSSLEncCipher.derivedSize)
        defer { OPENSSL_cleanse(&key, key.count) }
        // At once, and what hardly anybody declares, most use: the program's own defaults, old and new.
        let quick = [declared, OpenSSLEncCipher()] + digests.map { OpenSSLEncCipher(digest: $0, derivation: .evpBytesToKey) }
        for made in quick {
            guard let derived = try? made.key(passphrase: passphrase, salt: salt) else { continue }
            derived.withBytes { bytes in key.withUnsafeMutableBytes { $0.copyMemory(from: bytes) } }
            if let cipher = trial.cipher(under: key, rarely: true, fits) { return OpenSSLEncGuess(cipher: cipher, made: made) }
        }
        guard passphrase.mayBeSearched else { return nil }
        let walks = digests.compactMap { digest in
            PBKDF2Walk(passphrase: passphrase, salt: salt, digest: digest, count: key.count).map { (digest, $0) }
        }
        let end = spent() + longest
        // Every digest a little way first: most have hardly been told a number.
        for (from, to) in zip([0] + milestones, milestones) {
            for (digest, walk) in walks {
                for rounds in counts where rounds > from && rounds <= to {
                    guard !cancelled() else { throw .cancelled }
                    guard spent() < end, walk.walk(to: rounds) else { break }
                    walk.copyKey(into: &key)
                    if let cipher = trial.cipher(under: key, rarely: rounds % 10000 == 0 || rounds < 17, fits) {
                        return OpenSSLEncGuess(cipher: cipher, made: OpenSSLEncCipher(iterations: rounds, digest: digest))
                    }
                }
            }
        }
        passphrase.countVainSearch()
        return nil
    }

    /// The likeliest first.
    private static let digests = ["sha256", "sha512", "sha1", "md5", "sha384", "sha224"]

    private static let milestones = [20_000, 200_000, 1 << 20]

    /// Ten times what it takes, of the processor's time: what else this machine does changes no answer.
    private static let longest = Duration.seconds(20)

    /// What this thread has used of the processor.
    private static func spent() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// What people write: a round thousand, a power of two, very few.
    private static let counts: [Int] =
        Set(Array(1...16) + [20, 50, 64, 100, 128, 200, 256, 500, 512] + (10...20).map { 1 << $0 } + (1...1000).map { $0 * 1000 }).sorted()
}

extension OpenSSLEncCipher {
    /// In words: `pbkdf2, 100000 iterations of sha256`.
    public var words: String {
        switch derivation {
        case .pbkdf2: "pbkdf2, \(iterations) iterations of \(digest)"
        case .evpBytesToKey: "\(derivation.rawValue), one round of \(digest)"
        }
    }

    /// What else may be the cause where a key doesn't open a file and trying has found nothing.
    public static let otherwise =
        "if openssl enc was given -iter or -md, or no -pbkdf2, declare iterations, digest or derivation; a cipher other than aes-256-cbc "
        + "is not read"

    /// As an estate file declares it, what is the default left out.
    public var declaration: String {
        var words = ["format: openssl", "key: …"]
        if derivation != .pbkdf2 { words.append("derivation: \(derivation.rawValue)") }
        if derivation == .pbkdf2, iterations != 10000 { words.append("iterations: \(iterations)") }
        if digest != "sha256" { words.append("digest: \(digest)") }
        return "encryption: {\(words.joined(separator: ", "))}"
    }
}

/// One sample, under whatever key.
private struct Trial {
    var sample: [UInt8]
    private let ciphers: [(name: String, cipher: OpaquePointer)]

    /// What `openssl enc` offers beside the one that is read, most used first.
    private static let names =
        [OpenSSLEncGuess.read, "aes-128-cbc", "aes-256-ctr", "chacha20", "aes-192-cbc", "des-ede3-cbc"]
        + ["aes-128-ctr", "aes-192-ctr", "camellia-256-cbc", "camellia-128-cbc", "camellia-192-cbc", "aria-256-cbc", "aria-128-cbc"]
        + ["sm4-cbc", "aes-256-cfb", "aes-128-cfb", "aes-256-ofb", "aes-128-ofb", "aes-256-ecb", "aes-128-ecb", "bf-cbc", "cast5-cbc"]

    init(sample: [UInt8]) {
        // The last block of a short file may be padding.
        self.sample = sample.count < 64 ? Array(sample.dropLast(sample.count % 16)) : sample
        ciphers = Self.names.compactMap { name in
            guard let cipher = EVP_get_cipherbyname(name) else { return nil }
            // Some are known by name only: their provider isn't loaded.
            guard Self.opened([0], by: cipher, under: [UInt8](repeating: 1, count: OpenSSLEncCipher.derivedSize)) != nil else { return nil }
            return (name, cipher)
        }
        ERR_clear_error()
    }

    /// The first cipher under which the sample makes sense.
    ///
    /// - Parameter rarely: Whether those that few use are tried as well.
    func cipher(under key: [UInt8], rarely: Bool, _ fits: ([UInt8]) -> Bool) -> String? {
        ciphers.prefix(rarely ? ciphers.count : 3).first { Self.opened(sample, by: $0.cipher, under: key).map(fits) ?? false }?.name
    }

    /// As much of it as is whole blocks, without judging any padding.
    private static func opened(_ bytes: [UInt8], by cipher: OpaquePointer, under key: [UInt8]) -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        let size = Int(EVP_CIPHER_get_key_length(cipher))
        guard size + Int(EVP_CIPHER_get_iv_length(cipher)) <= key.count else { return nil }
        let ready = key.withUnsafeBufferPointer { key in
            EVP_CipherInit_ex(context, cipher, nil, key.baseAddress, key.baseAddress.map { $0 + size }, 0) == 1
        }
        guard ready, EVP_CIPHER_CTX_set_padding(context, 0) == 1 else { return nil }
        var plain: [UInt8] = []
        return bytes.withUnsafeBytes { CipherContext.update(context, $0, into: &plain) } ? plain : nil
    }
}
