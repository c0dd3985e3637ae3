// What the folders above a stored file let other users do, whatever its own permission bits say.

/// Whether other users of a machine get to a file, and whether they can put another one in its place.
public enum FolderReach: Sendable, Hashable {
    /// They get to it; its own bits decide.
    case open
    /// A folder on the way lets nobody else pass.
    case shut
    /// They may rename and remove what lies in this folder on the way, which has these permission bits.
    case replaceable(folder: String, permissions: UInt16)

    /// Whether others may do what the file's own bits allow, such as 0o004 for reading.
    public func lets(_ bits: UInt16, of permissions: UInt16) -> Bool { self != .shut && permissions & bits != 0 }
}
