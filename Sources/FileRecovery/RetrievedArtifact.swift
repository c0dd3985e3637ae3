// An artifact as it lies in the scratch folder, ready to be restored.

public import ArtifactFormats
public import Foundation

/// A backup that was fetched, checked, decrypted and unpacked.
public struct RetrievedArtifact: Sendable, Hashable {
    /// A file, or the folder that a tar was unpacked to.
    public var location: URL
    /// What it is; meaningless for a folder.
    public var format: ArtifactFormat
    public var isFolder: Bool
    /// The decrypted globals file, where the backup has one.
    public var globals: URL?
    /// Of the globals file as stored.
    public var globalsSHA256: String?
    public var globalsBytes: Int64?
    /// Whether its encryption or its compression vouches for every byte of it.
    public var areGlobalsChecked = false
    /// Of the bytes as stored, lower-case hex.
    public var storedSHA256: String
    public var storedBytes: Int64
    /// Whether the stored form's own encryption vouches for every byte.
    public var isAuthenticated = false
    /// Whether a compression around it, which has been taken off, ended with a checksum of all that was in it.
    public var isChecked = false
    /// On the scratch disk, decrypted and unpacked.
    public var plainBytes: Int64
}
