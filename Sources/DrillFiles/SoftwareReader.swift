// The server that one Redis service is restored with: a folder of programs, and modules.

import DrillModel
import Foundation
import Yams

/// Reads `binaries` and `modules` of one service.
struct SoftwareReader {
    let file: SourceFile
    let fields: Fields
    let service: String
    let engine: Service.Engine?

    func read() -> (binaries: URL?, modules: [ServerModule]) {
        for key in ["binaries", "modules"] where fields[key] != nil {
            guard let engine, engine != .redis else { continue }
            fields.report(
                key, "\"\(key)\" does not fit engine \"\(engine.rawValue)\"",
                hint: "remove it: only a redis is restored with software of its own")
        }
        return (fields.path("binaries", isFolder: true), modules())
    }

    private func modules() -> [ServerModule] {
        guard let entry = fields["modules"] else { return [] }
        guard case .sequence(let sequence) = entry.node, !file.refusesTag(of: entry.node) else {
            fields.report(
                "modules", "\"modules\" must be a list, not \(file.kind(of: entry.node))",
                hint: "write \"modules: [{path: /usr/lib/redis/modules/rejson.so}]\"")
            return []
        }
        if sequence.isEmpty { fields.report("modules", "\"modules\" is empty", hint: "name at least one, or remove the line") }
        return sequence.compactMap { node in
            let title = "a module of service \"\(service)\""
            guard let module = Fields(file, node, .module, title: title, place: node.place) else { return nil }
            let path = module.path("path")
            let arguments = module["arguments"] == nil ? [] : module.texts("arguments")?.map(\.text)
            guard let path, let arguments else { return nil }
            // They stand in the scratch server's configuration, where a line is a setting.
            if arguments.contains(where: { $0.contains(where: \.isNewline) }) {
                module.report("arguments", "an argument of a module holds a line break", hint: "write it on one line")
                return nil
            }
            return ServerModule(path: path.path, arguments: arguments)
        }
    }
}
