// A folder that a run with --keep left, taken in hand once more, and left again.

public import Foundation

extension ScratchHost {
    /// The host of a folder that was left on purpose: what is started there again is in the quarantine that this machine gives now.
    ///
    /// While it is in hand nobody cleans it up. ``keep(of:)`` is not for it: ``leave()`` is.
    ///
    /// - Throws: ``ScratchError`` where the folder is none that was kept, or is in somebody's hands.
    public static func reopen(_ folder: URL, view: SandboxView, recovery: Int?) async throws(ScratchError) -> ScratchHost {
        let program = try Sandbox.program()
        let folder = try ScratchFolder.reopen(folder)
        do throws(ScratchError) {
            let isolation = try await Isolation.probe(in: folder)
            let host = ScratchHost(
                folder: folder, sandbox: Sandbox(folder: folder, isolation: isolation, view: view, program: program))
            return recovery.map { host.recovering($0) } ?? host
        } catch {
            try? folder.leave()
            throw error
        }
    }

    /// Ends what was started there again, and leaves the folder as it was left before.
    public func leave() async throws(ScratchError) {
        let folder = folder
        try await Self.blocking { () throws(ScratchError) in try folder.leave() }
    }

    /// Which of several recoveries this is the host for; nil: of all.
    public var recovery: Int? { folder.recovery.flatMap { Int($0.dropLast()) } }
}

extension ScratchFolder {
    static func reopen(_ url: URL) throws(ScratchError) -> ScratchFolder {
        let root = ScratchRoot(url.deletingLastPathComponent())
        guard let owner = ProcessTable.current() else {
            throw ScratchError(.fileSystem, "/proc can't be read", hint: "mount /proc: muster finds its own remains by it")
        }
        guard let (url, mark) = ScratchCleaner.marked(in: root).first(where: { $0.0.lastPathComponent == url.lastPathComponent }), mark.kept
        else {
            throw ScratchError(
                .refused, "\(url.path) is no folder that a run with --keep left", hint: "muster clean --kept --dry-run shows those that are"
            )
        }
        guard !mark.isInUse(in: url) else {
            throw ScratchError(
                .refused, "\(url.path) is in use: somebody has it open",
                hint: "end that muster attach first, or use the lines that it printed")
        }
        // A killed one may have left its server behind.
        endProcesses(of: mark, in: url)
        var taken = mark
        (taken.owner, taken.bootID) = (owner, ProcessTable.bootID())
        try taken.replace(in: url)
        OwnershipLock.hold(url, as: url.lastPathComponent)
        return ScratchFolder(url: url, id: mark.id, user: try UnprivilegedUser.current(), mark: taken)
    }

    func leave() throws(ScratchError) {
        endProcesses()
        // The mark names a process that is about to be no more; until then the lock would say that it lives.
        OwnershipLock.release(url.lastPathComponent)
    }
}
