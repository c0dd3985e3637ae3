// A few kilobytes of many remote objects, several at once.

import ArtifactFormats
import DrillModel

/// Reads the first bytes, and those that tell whether an artifact is encrypted.
struct RemoteSamples: Sendable {
    var rclone: Rclone
    /// What was listed, by path.
    var objects: [String: RemoteObject]
    var looked: [String: StoredContent] = [:]
    var heads: [String: [UInt8]] = [:]
    /// What stood in the way, by the path of the object.
    var troubles: [String: RemoteTrouble] = [:]

    /// The longest header before the first bytes of the content is a CMS envelope's.
    private static let wanted = ArtifactFormat.bytesNeeded + ContentProbe.sampleSize

    init(rclone: Rclone, objects: [RemoteObject]) {
        self.rclone = rclone
        self.objects = Dictionary(objects.map { ($0.path, $0) }) { $1 }
    }

    /// The first bytes; of a folder, of the table of contents in it. What lies in an archive tier is left out.
    mutating func readHeads(of items: [StoredItem]) async throws {
        let wanted = items.filter { heads[$0.path] == nil && $0.archive == nil }
        let read = try await parts(of: wanted.compactMap { objects[Self.head(of: $0)] }, from: 0)
        for item in wanted { heads[item.path] = read[Self.head(of: item)] }
    }

    /// What a look tells; an object that has gone, or that can't be read now, has none.
    mutating func look(at items: [StoredItem], of set: BackupSet) async throws {
        for item in items where item.isFolder { looked[item.path] = StoredContent(kind: .folder, permissions: nil) }
        let files = items.filter { !$0.isFolder && $0.archive == nil }.compactMap { objects[$0.path] }
        let first = try await parts(of: files, from: 0)
        heads.merge(first) { $1 }
        var middles: [String: [UInt8]] = [:]
        for (place, some) in Dictionary(grouping: files, by: { ContentProbe.middle(of: $0.size) }) {
            guard let place else { continue }
            middles.merge(try await parts(of: some.filter { first[$0.path] != nil }, from: place)) { $1 }
        }
        for object in files {
            guard let bytes = first[object.path], troubles[object.path] == nil else { continue }
            let head = Array(bytes.prefix(ContentProbe.sampleSize))
            looked[object.path] = ContentProbe.judge(head: head, middle: middles[object.path], permissions: nil)
                .doubted(as: set, head: head, size: object.size)
        }
    }

    private static func head(of item: StoredItem) -> String { item.isFolder ? item.path + "/toc.dat" : item.path }

    private mutating func parts(of objects: [RemoteObject], from offset: Int64) async throws -> [String: [UInt8]] {
        let outcomes = try await rclone.parts(of: objects, from: offset, count: offset == 0 ? Self.wanted : ContentProbe.sampleSize)
        troubles.merge(outcomes.troubles) { $1 }
        return outcomes.values
    }
}
