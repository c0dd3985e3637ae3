// The head of a git bundle: what it holds, and what it takes for granted.

import Foundation

/// What a bundle says of itself before its pack begins.
struct BundleHeader: Sendable, Hashable {
    /// Commits that must be there already: such a bundle is an increment, and nothing by itself.
    var prerequisites = 0
    /// Branches, tags and other refs.
    var refs: [String] = []
    /// Whether objects were left out on purpose (`@filter`).
    var isPartial = false
    /// What objects are named by.
    var objectFormat = "sha1"

    /// - Returns: nil where it is no bundle, or its head has no end.
    init?(_ bytes: Data) {
        var lines: [Substring] = []
        var rest = bytes[...]
        while true {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            lines.append(Substring(String(decoding: line, as: UTF8.self)))
        }
        guard let first = lines.first, ["# v2 git bundle", "# v3 git bundle"].contains(first) else { return nil }
        for line in lines.dropFirst() {
            if line.hasPrefix("@") {
                isPartial = isPartial || line.hasPrefix("@filter")
                if line == "@object-format=sha256" { objectFormat = "sha256" }
            } else if line.hasPrefix("-") {
                prerequisites += 1
            } else if let space = line.firstIndex(of: " ") {
                refs.append(String(line[line.index(after: space)...]))
            }
        }
    }
}
