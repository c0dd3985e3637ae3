// What turns stored bytes back into plain ones, whatever their format.

/// A stream of stored bytes that becomes one of plain bytes, in constant memory. Not to be shared between tasks.
public protocol StoredDecryptor: AnyObject {
    /// Appends the plain form of the bytes to the output. Some may be held back until ``finish(into:)``.
    func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError)

    /// Appends the rest, and says whether the file is whole. The stream is used up.
    ///
    /// Throws `truncated` or `wrongKeyOrDamaged`.
    func finish(into output: inout [UInt8]) throws(CryptographyError)
}

extension StoredDecryptor {
    /// As ``update(_:into:)``.
    public func update(_ bytes: [UInt8]) throws(CryptographyError) -> [UInt8] {
        var output: [UInt8] = []
        try bytes.lend { (bytes) throws(CryptographyError) in try update(bytes, into: &output) }
        return output
    }

    /// As ``finish(into:)``.
    public func finish() throws(CryptographyError) -> [UInt8] {
        var output: [UInt8] = []
        try finish(into: &output)
        return output
    }
}
