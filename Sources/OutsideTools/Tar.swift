// GNU tar, asked and told as one who trusts no archive.

public import Foundation

/// Every end but 0 is the archive's fault, unless the disk is full.
public enum Tar {
    /// Prints the members' names, a line each.
    public static func names(of archive: URL) -> [String] { ["tar", "-tf", archive.path] }

    /// Owners and set-id bits stay behind.
    public static func extraction(of archive: URL, into folder: URL) -> [String] {
        ["tar", "-xf", archive.path, "-C", folder.path, "--no-same-owner", "--no-same-permissions"]
    }
}
