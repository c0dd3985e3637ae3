// What an application takes of this machine: its files, its interpreter, and the tools that its probes are asked with.

import DrillModel
import Foundation

/// One look for one application.
struct ApplicationNeeds {
    let application: Application
    /// Whether the unprivileged user finds a program.
    let has: @Sendable (String) -> Bool

    init(_ application: Application, has: @escaping @Sendable (String) -> Bool) {
        self.application = application
        self.has = has
    }

    func look() -> [MachineNeed] {
        let user = "application \(application.name)"
        var needs: [MachineNeed] = []
        if case .folder(let folder) = application.code {
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) && isFolder.boolValue
            needs.append(
                MachineNeed(
                    state: isThere ? .here : .missing, name: "\(user): \(folder.path)",
                    mend: isThere ? "" : "check \"folder\" in the estate file, or copy the application's files there"))
        }
        if let program = application.start.first?.text { needs += program.contains("{") ? [] : need(program, for: user) }
        for (_, repopulation) in application.repopulations.sorted(by: { $0.key < $1.key }) {
            if let program = repopulation.run.first?.text { needs += program.contains("{") ? [] : need(program, for: user) }
        }
        for probe in application.health.probes {
            switch probe {
            case .http: needs += need("curl", for: "probes of \(user)", package: "curl")
            case .tcp, .sql: break
            case .command(let run, _): needs += run.first.map { need($0.text, for: "a probe of \(user)") } ?? []
            }
        }
        return needs
    }

    /// Nothing of a program that lies among the application's own files: only a drill has those.
    private func need(_ program: String, for user: String, package: String? = nil) -> [MachineNeed] {
        if program.contains("/"), !program.hasPrefix("/") { return [] }
        let isThere = has(program)
        return [
            MachineNeed(
                state: isThere ? .here : .missing, name: program,
                detail: isThere ? "" : "needed for \(user), by a user without rights",
                mend: isThere
                    ? "" : package.map { "apt-get install \($0)" } ?? "install it where everybody may run it, and put its folder on PATH")
        ]
    }
}
