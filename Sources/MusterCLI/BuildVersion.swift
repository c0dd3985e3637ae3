// What a build calls itself: its version, and the commit that it was made of.

import CBuild

/// Semantic versioning's form, `0.1.0+1854fb2a1b2c`: of two builds of a version neither is the newer one.
enum BuildVersion {
    /// The newest in CHANGELOG.md.
    static let number = "0.1.0"

    /// Without a commit where nobody named one, as in a plain `swift build`.
    static let text = text(commit: String(cString: muster_commit))

    static func text(commit: String) -> String { commit.isEmpty ? number : "\(number)+\(commit)" }
}
