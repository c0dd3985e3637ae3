// PBKDF2 that is looked at on its way: one walk to a million rounds passes by the key of every smaller number.

import COpenSSL

/// The keys of one passphrase, salt and digest, for more and more rounds. Not to be shared between tasks.
///
/// `PKCS5_PBKDF2_HMAC` would begin anew for each number: what it adds up, round by round, is what is wanted here.
final class PBKDF2Walk {
    private let context: OpaquePointer
    private let blocks: Int
    private let size: Int
    /// The last round's output of each block, and the sum of all so far: 64 bytes each, of which a digest takes the first.
    private let last: UnsafeMutablePointer<UInt64>
    private let sum: UnsafeMutablePointer<UInt64>
    private(set) var rounds = 0

    private static let words = 8

    /// - Parameter count: How many bytes of key are wanted.
    /// - Returns: nil where libcrypto doesn't offer the digest.
    init?(passphrase: Secret, salt: [UInt8], digest: String, count: Int) {
        guard !passphrase.isEmpty, let hash = EVP_get_digestbyname(digest) else {
            ERR_clear_error()
            return nil
        }
        let context = passphrase.withBytes { muster_hmac(digest, $0.assumingMemoryBound(to: UInt8.self).baseAddress, $0.count) }
        guard let context else {
            ERR_clear_error()
            return nil
        }
        self.context = context
        size = Int(EVP_MD_get_size(hash))
        blocks = (count + size - 1) / size
        last = .allocate(capacity: blocks * Self.words)
        sum = .allocate(capacity: blocks * Self.words)
        last.initialize(repeating: 0, count: blocks * Self.words)
        sum.initialize(repeating: 0, count: blocks * Self.words)
        for block in 0..<blocks {
            let number = UInt32(block + 1)
            let first = salt + (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            guard run(first, first.count, block) else { return nil }
        }
        rounds = 1
    }

    deinit {
        EVP_MAC_CTX_free(context)
        OPENSSL_cleanse(last, blocks * Self.words * 8)
        OPENSSL_cleanse(sum, blocks * Self.words * 8)
        last.deallocate()
        sum.deallocate()
    }

    /// Goes on to a number of rounds; false where libcrypto fails.
    func walk(to rounds: Int) -> Bool {
        while self.rounds < rounds {
            for block in 0..<blocks where !run(UnsafeRawPointer(last + block * Self.words).assumingMemoryBound(to: UInt8.self), size, block)
            {
                return false
            }
            self.rounds += 1
        }
        return true
    }

    /// Puts the key of as many rounds as were walked into a buffer.
    func copyKey(into key: inout [UInt8]) {
        let sum = UnsafeRawPointer(sum)
        for index in key.indices {
            key[index] = sum.load(fromByteOffset: index / size * Self.words * 8 + index % size, as: UInt8.self)
        }
    }

    private func run(_ input: UnsafePointer<UInt8>, _ count: Int, _ block: Int) -> Bool {
        var made = 0
        let place = last + block * Self.words
        guard EVP_MAC_init(context, nil, 0, nil) == 1, EVP_MAC_update(context, input, count) == 1,
            EVP_MAC_final(context, UnsafeMutableRawPointer(place).assumingMemoryBound(to: UInt8.self), &made, Self.words * 8) == 1
        else {
            ERR_clear_error()
            return false
        }
        let target = sum + block * Self.words
        for word in 0..<Self.words { target[word] ^= place[word] }
        return true
    }
}
