// The ownership mark of a lab: what says that a folder is one, and may be removed.

import Foundation

/// Written first and removed last.
struct LabMark: Codable, Hashable, Sendable {
    static let fileName = ".muster-lab.json"
    static let tool = "muster-lab"

    var tool = LabMark.tool
    /// Names the folder of the sockets.
    var id: String
    var created: Date
    /// The bin folder of the Postgres that made the cluster: another major can't start it.
    var postgres: String
    /// The server of the Redis or Valkey that made the dataset: an older one can't read it. Labs of older Musters don't say.
    var redis: String?
    /// False until everything is there.
    var complete = false

    /// Short, since a Unix socket's path may have 107 bytes; fixed, since the estate file names it.
    var socketFolder: URL { URL(fileURLWithPath: "/tmp/muster-lab-\(id)", isDirectory: true) }
    /// The sockets of what follows in the other zone, by the same names.
    var secondZone: URL { socketFolder.appending(path: "dr", directoryHint: .isDirectory) }
    /// Where the drill of a lost zone moves the first one's sockets.
    var lostSockets: URL { socketFolder.appending(path: "lost", directoryHint: .isDirectory) }

    func write(to file: URL) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: file, options: .atomic)
    }

    /// - Throws: ``LabError`` (usage) where the folder carries no mark: it is nobody's lab and stays untouched.
    static func read(in folder: URL) throws(LabError) -> LabMark {
        let file = LabPlaces(folder: folder).mark
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file.path),
            attributes[.type] as? FileAttributeType == .typeRegular,
            let data = try? Data(contentsOf: file), let mark = try? decoder.decode(LabMark.self, from: data), mark.tool == tool,
            !mark.id.isEmpty, mark.id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else {
            throw LabError(
                .usage, "\(folder.path) is no lab: it carries no \(fileName)", hint: "name a folder that `muster lab create` made")
        }
        return mark
    }
}
