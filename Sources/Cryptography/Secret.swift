// A passphrase or key that can't be printed by mistake, and is wiped when the last holder lets go.

import COpenSSL
import Synchronization

/// The bytes of a passphrase or key. Printing it, in whatever way, shows `(secret)`.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let box: Box

    /// Takes the bytes as they are. The caller's own copy is the caller's to forget.
    public init(_ bytes: some Collection<UInt8>) {
        box = Box(bytes)
    }

    /// The UTF-8 bytes of a text.
    public init(_ text: String) {
        box = Box(text.utf8)
    }

    /// In bytes.
    public var count: Int { box.bytes.count }

    public var isEmpty: Bool { box.bytes.isEmpty }

    /// Lends the bytes for the time of a call. They must not be kept.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(box.bytes))
    }

    /// What a key derivation is of, beside the passphrase.
    struct Derivation: Sendable, Hashable {
        var salt: [UInt8]
        var cipher: OpenSSLEncCipher
    }

    /// More of them than this are forgotten, and made again where they are needed.
    private static let mostDerived = 512

    /// A key made of this passphrase. Making one takes milliseconds by intent, and a file that is looked at and then read has one salt.
    func derived(_ derivation: Derivation, _ make: () throws(CryptographyError) -> Secret) throws(CryptographyError) -> Secret {
        if let known = box.derived.withLock({ $0[derivation] }) { return known }
        let made = try make()
        box.derived.withLock { keys in
            if keys.count >= Self.mostDerived { keys.removeAll() }
            keys[derivation] = made
        }
        return made
    }

    /// Whether one more search for how a file was made with this passphrase is worth its seconds: where nothing fitted two files of a
    /// series, nothing will fit its others.
    var mayBeSearched: Bool { box.searches.withLock { $0 < 2 } }

    func countVainSearch() { box.searches.withLock { $0 += 1 } }

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    // @unchecked: the memory is written in init and wiped in deinit, and only read in between.
    private final class Box: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer
        /// Each wiped as the passphrase itself is.
        let derived = Mutex<[Derivation: Secret]>([:])
        let searches = Mutex(0)

        init(_ source: some Collection<UInt8>) {
            bytes = .allocate(byteCount: source.count, alignment: 1)
            bytes.copyBytes(from: source)
        }

        deinit {
            // A plain memset of memory that is freed next may be optimised away; this one may not.
            OPENSSL_cleanse(bytes.baseAddress, bytes.count)
            bytes.deallocate()
        }
    }
}
