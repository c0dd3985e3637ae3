// The second store: what a copying job brings to another zone.

import Foundation

/// Copies a store as it stands.
enum LabMirror {
    /// Names, modes, times and bytes are those of the first store.
    static func copy(_ source: URL, to target: URL) throws {
        let files = FileManager.default
        try files.createDirectory(at: target, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: source.path) {
            let from = source.appending(path: name)
            let to = target.appending(path: name)
            let attributes = try files.attributesOfItem(atPath: from.path)
            guard attributes[.type] as? FileAttributeType != .typeDirectory else {
                try copy(from, to: to)
                continue
            }
            try files.copyItem(at: from, to: to)
            try files.setAttributes(attributes.filter { [.modificationDate, .posixPermissions].contains($0.key) }, ofItemAtPath: to.path)
        }
    }
}
