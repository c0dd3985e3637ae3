// A passphrase or key that can't be printed by mistake, and is wiped when the last holder lets go.

import COpenSSL

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

    public var description: String { "(secret)" }
    public var debugDescription: String { "(secret)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    // @unchecked: the memory is written in init and wiped in deinit, and only read in between.
    private final class Box: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer

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
