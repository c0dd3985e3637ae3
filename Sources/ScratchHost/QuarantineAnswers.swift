// What a scratch process could do: asked of the operating system, and inside its own quarantine.

public import Foundation

/// The answers about one scratch process.
public struct QuarantineAnswers: Sendable, Hashable {
    /// nil where /proc doesn't tell.
    public var effectiveUser: UInt32?
    public var userName: String
    /// Whether no program can give it more rights than its user has; nil where /proc doesn't tell.
    public var gainsNothing: Bool?
    public var network: NetworkView?
    /// Whether sockets other than Unix ones can be made in its place; nil where that could not be asked.
    public var internet: Bool?
    /// Whether its process ids are its own, so that all of it ends with it.
    public var hasOwnProcesses: Bool
    /// Whether the process that takes in what it leaves behind could be ended in its place; nil where that could not be asked.
    public var endsKeeper: Bool?
    public var isolation: Isolation
    /// What of the keys and stores could be read or changed in its place; nil where that could not be asked.
    public var openable: [String]?
    /// What of them could be given another mode, another time or other attributes in its place.
    public var changeable: [String]?
    /// Other programs' Unix sockets that could be called in its place; nil where that could not be asked.
    public var sockets: [String]?
    /// No socket at all could be called in its place, whoever listens there.
    public var callsNothing: Bool

    public init(
        effectiveUser: UInt32?, userName: String, gainsNothing: Bool? = true, network: NetworkView?,
        internet: Bool? = nil,
        hasOwnProcesses: Bool = false, endsKeeper: Bool? = false, isolation: Isolation, openable: [String]? = [],
        changeable: [String]? = [],
        sockets: [String]? = [], callsNothing: Bool = false
    ) {
        self.effectiveUser = effectiveUser
        self.userName = userName
        self.gainsNothing = gainsNothing
        self.network = network
        self.internet = internet
        self.hasOwnProcesses = hasOwnProcesses
        self.endsKeeper = endsKeeper
        self.isolation = isolation
        self.openable = openable
        self.changeable = changeable
        self.sockets = sockets
        self.callsNothing = callsNothing
    }

    /// - Parameter reaching: The sockets that it is meant to call.
    public static func ask(_ server: ServerProcess, host: ScratchHost, reaching: [URL] = []) async -> QuarantineAnswers {
        let pid = server.pid
        let hidden = host.view.hidden.map(\.path)
        // What is meant to be called, and what belongs to this drill, is no stranger's.
        let meant = (reaching + [host.folder.url]).map(\.path)
        let others = UnixSockets.listening().filter { path in !meant.contains { path == $0 || path.hasPrefix($0 + "/") } }
        let questions =
            ["internet", "call", "signal \(server.keeper)"] + hidden.flatMap { ["read \($0)", "write \($0)", "change \($0)"] }
            + others.map { "connect \($0)" }
        let answers = await host.ask(questions, inPlaceOf: server)
        func yes(_ words: [String], _ paths: [String]) -> [String]? {
            answers.map { answers in paths.filter { path in words.contains { answers["\($0) \(path)"] == true } } }
        }
        return QuarantineAnswers(
            effectiveUser: ProcessTable.effectiveUser(of: pid), userName: host.userName, gainsNothing: ProcessTable.gainsNothing(pid),
            network: NetworkView.of(pid: server.keeper), internet: answers?["internet"],
            hasOwnProcesses: ProcessTable.hasOwnProcesses(pid),
            endsKeeper: answers?["signal \(server.keeper)"], isolation: host.isolation, openable: yes(["read", "write"], hidden),
            changeable: yes(["change"], hidden),
            sockets: yes(["connect"], others), callsNothing: answers?["call"] == false)
    }
}

extension ScratchHost {
    private static let patience = Duration.seconds(120)

    /// The answers by question; nil where they could not be had.
    func ask(_ questions: [String], inPlaceOf server: ServerProcess) async -> [String: Bool]? {
        // A path with a line break in it can't be asked for: then nothing counts as asked.
        guard !questions.contains(where: { $0.contains("\n") }) else { return nil }
        let file = folder.url.appendingPathComponent(".questions-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let command = sandbox.asking(server)
        // Code of a backup may stop the process that asks, which is of its user and beside it.
        guard (try? Data((questions.joined(separator: "\n") + "\n").utf8).write(to: file)) != nil,
            let result = try? await TimeLimit.run(
                Self.patience,
                { [folder, ownership] in
                    try await ToolRunner.spawn(
                        command, environment: ownership, workingFolder: folder.url, input: file, output: .capture(limit: 1 << 20),
                        errors: .discard)
                }), result.succeeded
        else { return nil }
        let lines = result.output.split(separator: "\n")
        guard lines.count == questions.count, lines.allSatisfy({ $0 == "yes" || $0 == "no" }) else { return nil }
        return Dictionary(zip(questions, lines.map { $0 == "yes" })) { $0 || $1 }
    }
}

/// The Unix sockets of this machine that have a path.
enum UnixSockets {
    /// Those that somebody listens on, or takes messages by, each once; of this network namespace, since the kernel tells of no other.
    static func listening() -> [String] {
        let text = ProcessTable.read("/proc/net/unix").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let paths = text.split(separator: "\n").dropFirst().compactMap { line -> String? in
            // Number, references, protocol, flags, type, state, inode, path. The flag says that it was listened on; nobody listens for
            // datagrams, which are type 2.
            let columns = line.split(separator: " ", maxSplits: 7)
            guard columns.count == 8, columns[3] == "00010000" || columns[4] == "0002", columns[7].hasPrefix("/") else { return nil }
            return String(columns[7])
        }
        return Array(Set(paths)).sorted()
    }
}
