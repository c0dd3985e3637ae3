// The servers that runs with --keep left: which one is meant, and the lines by which they are looked into.

public import DrillModel
public import Foundation
public import ScratchHost

/// The servers of some scratch folders.
public struct KeptServers: Sendable {
    private let found: [(folder: URL, server: KeptServer)]

    public init(in folders: [URL]) {
        found = folders.flatMap { folder in KeptServer.all(in: folder).map { (folder, $0) } }
    }

    /// - Parameter service: nil where there is but one.
    /// - Throws: ``CommandFailure`` where it isn't clear which one is meant.
    public func chosen(_ service: String?, tell: @escaping @Sendable (String) -> Void) throws(CommandFailure) -> Attachment {
        let meant = found.filter { service == nil || $0.server.service == service }
        guard let first = meant.first else {
            guard let service, !found.isEmpty else {
                throw CommandFailure(
                    .usage, "no server was kept there: the drill brought none up, or did not come so far",
                    hint: "read the run's report for what it came to")
            }
            throw CommandFailure(.usage, "no server of \(service) was kept there", hint: "there are: \(services)")
        }
        guard meant.count == 1 else {
            let isOneFolder = Set(meant.map(\.folder)).count == 1
            throw CommandFailure(
                .usage, "\(meant.count) servers were kept there",
                hint: isOneFolder
                    ? "choose one with --service: \(services)"
                    : "name one drill's scratch folder in place of the run: \(Set(meant.map(\.folder.path)).sorted().joined(separator: ", "))"
            )
        }
        return Attachment(first.server, in: first.folder, tell: tell)
    }

    private var services: String { Set(found.map(\.server.service)).sorted().joined(separator: ", ") }

    /// How they are looked into, as it is typed; nothing where there are none.
    ///
    /// - Parameters:
    ///   - run: What the folder is asked for by.
    ///   - root: Named in the lines where it isn't the usual one.
    public func lines(for run: String, in root: ScratchRoot) -> [String] {
        guard !found.isEmpty else { return [] }
        let scratch = root == ScratchRoot() ? "" : " --scratch \(ShellWord.of(root.folder.path))"
        return ["its servers have ended; each is started again inside the quarantine, and psql or redis-cli opened on it, by"]
            + found.map { "  muster attach \(ShellWord.of(run)) --service \(ShellWord.of($0.server.service))\(scratch)" }
            + ["and then, from another terminal, by"] + found.map { "  \(Attachment.line($0.server.client))" }
    }
}
