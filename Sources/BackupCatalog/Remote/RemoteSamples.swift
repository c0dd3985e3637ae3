// A few kilobytes of many remote objects, several at once.

import ArtifactFormats
import DrillModel

/// Reads the first bytes, and those that tell whether an artifact is encrypted.
struct RemoteSamples: Sendable {
    var rclone: Rclone
    var looked: [String: StoredContent] = [:]
    var heads: [String: [UInt8]] = [:]

    init(rclone: Rclone) { self.rclone = rclone }

    /// By path; of a folder, of the table of contents in it.
    func heads(of items: [StoredItem]) async throws -> [String: [UInt8]] {
        try await each(items) { item in
            // The longest header before the first bytes of the content is a CMS envelope's.
            let wanted = ArtifactFormat.bytesNeeded + ContentProbe.sampleSize
            return try await rclone.read(item.isFolder ? item.path + "/toc.dat" : item.path, count: wanted)
        }
    }

    /// By path; an object that has gone has none.
    func look(at items: [StoredItem], of set: BackupSet) async throws -> [String: StoredContent] {
        try await each(items) { item in
            if item.isFolder { return StoredContent(kind: .folder, permissions: nil) }
            let head = try await rclone.read(item.path, count: ContentProbe.sampleSize)
            guard !head.isEmpty || item.size == 0 else { return nil }
            var middle: [UInt8]?
            if let place = ContentProbe.middle(of: item.size) {
                middle = try await rclone.read(item.path, from: place, count: ContentProbe.sampleSize)
            }
            return ContentProbe.judge(head: head, middle: middle, permissions: nil).doubted(as: set, head: head, size: item.size)
        }
    }

    private func each<Value: Sendable>(
        _ items: [StoredItem], _ body: @Sendable @escaping (StoredItem) async throws -> Value?
    ) async throws -> [String: Value] {
        try await withThrowingTaskGroup(of: (String, Value?).self) { group in
            var next = items.makeIterator()
            var results: [String: Value] = [:]
            for _ in 0..<rclone.connection.width {
                if let item = next.next() { group.addTask { (item.path, try await body(item)) } }
            }
            while let (path, value) = try await group.next() {
                results[path] = value
                if let item = next.next() { group.addTask { (item.path, try await body(item)) } }
            }
            return results
        }
    }
}
