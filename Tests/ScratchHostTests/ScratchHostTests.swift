// Tools and servers inside the quarantine: what they see, who they are, how they end.

import DrillModel
import Foundation
import Glibc
import Testing
import TestSupport

@testable import ScratchHost

@Suite(.serialized) struct ToolTests {
    @Test func exitCodeOutputAndErrorsAreTold() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let errors = part.appendingPathComponent("errors")
            let result = try await host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], errors: errors)
            #expect(result.exitCode == 3 && result.signal == nil && !result.succeeded)
            #expect(result.output == "out\n")
            #expect(try String(contentsOf: errors, encoding: .utf8) == "err\n")
            let killed = try await host.run(["sh", "-c", "kill -9 $$"])
            #expect(killed.exitCode == nil && killed.signal == 9 && killed.ending == "signal 9")
        }
    }

    @Test func inputAndOutputMayBeFiles() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let (source, target) = (part.appendingPathComponent("a"), part.appendingPathComponent("b"))
            try Data("one\ntwo\n".utf8).write(to: source)
            let result = try await host.run(["wc", "-l"], input: source, output: target)
            #expect(result.succeeded && result.output.isEmpty)
            #expect(try String(contentsOf: target, encoding: .utf8) == "2\n")
            let silent = try await host.run(["cat"])
            #expect(silent.succeeded && silent.output.isEmpty, "nothing to read unless a file is given")
        }
    }

    @Test(arguments: ["no-such-tool-anywhere", "/no/such/tool"])
    func aMissingToolIsNamed(_ program: String) async throws {
        try await withScratchHost { host in
            let error = await #expect(throws: ScratchError.self) { try await host.run([program, "x"]) }
            #expect(error?.kind == .toolMissing)
            #expect(error?.message.contains(program) == true)
        }
    }

    @Test func aFileThatCantBeOpenedIsAnError() async throws {
        try await withScratchHost { host in
            let error = await #expect(throws: ScratchError.self) {
                try await host.run(["true"], output: URL(fileURLWithPath: "/no/such/folder/file"))
            }
            #expect(error?.kind == .fileSystem)
        }
    }

    @Test func theEnvironmentIsBare() async throws {
        setenv("MUSTER_TEST_SECRET", "hunter2", 1)
        defer { unsetenv("MUSTER_TEST_SECRET") }
        try await withScratchHost { host in
            let result = try await host.run(["env"], environment: ["GIVEN": "yes"])
            let names = Set(result.output.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
            #expect(names.isSubset(of: ["PATH", "LC_ALL", "TZ", "HOME", "GIVEN", "MUSTER_SCRATCH_ID", "PWD", "TMPDIR"]), "\(names)")
            #expect(names.contains("GIVEN") && names.contains("MUSTER_SCRATCH_ID"))
            #expect(!result.output.contains("hunter2"))
            #expect(result.output.contains("LC_ALL=C\n"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root drops to another user"))
    func rootDropsToAUserWithoutRights() async throws {
        try await withScratchHost { host in
            let id = try await host.run(["id", "-u"])
            #expect(id.output == "\(host.userID)\n" && host.userID != 0)
            let groups = try await host.run(["id", "-G"])
            #expect(!groups.output.split(whereSeparator: \.isWhitespace).contains("0"))
            let status = try await host.run(["cat", "/proc/self/status"])
            #expect(status.output.contains("NoNewPrivs:\t1"))
            #expect(status.output.contains("CapEff:\t0000000000000000"))
        }
    }

    @Test func theNetworkIsItsOwnWhereTheMachineAllowsIt() async throws {
        try await withScratchHost { host in
            guard host.isolation.network == .namespace else { return }
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            let other = try await host.run(["readlink", "/proc/self/ns/net"])
            #expect(other.output.trimmingCharacters(in: .whitespacesAndNewlines) != own)
            let devices = try await host.run(["cat", "/proc/net/dev"])
            #expect(devices.output.split(separator: "\n").count == 3, "two lines of heading and lo alone")
        }
    }

    @Test func cancellingEndsTheToolAndItsChildren() async throws {
        try await withScratchHost { host in
            let entry = "MUSTER_SCRATCH_ID=\(host.folder.id)"
            func living() -> Int { ProcessTable.belonging(toEnvironment: entry, orFolder: host.folder.url.path).count }
            let task = Task { try await host.run(["sh", "-c", "sleep 600 & sleep 600 & wait"]) }
            #expect(await eventually { living() >= 3 })
            let started = ContinuousClock.now
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(ContinuousClock.now - started < .seconds(300))
            #expect(await eventually { living() == 0 })
        }
    }

    @Test func aCancelledTaskStartsNothing() async throws {
        try await withScratchHost { host in
            let file = try host.folder.privateFolder("p").appendingPathComponent("f")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await host.run(["touch", file.path])
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!FileManager.default.fileExists(atPath: file.path))
        }
    }

    @Test func aStreamComesInOrderAndCanBeBrokenOff() async throws {
        struct Enough: Error {}
        let total = Counter()
        let result = try await ToolRunner.stream(["seq", "1", "100000"], environment: [:], errors: .discard) { total.add($0.count) }
        #expect(result.succeeded && total.value == 588_895)
        await #expect(throws: Enough.self) {
            _ = try await ToolRunner.stream(["yes"], environment: [:], errors: .discard) { _ in throw Enough() }
        }
    }
}

/// A number that several threads add to.
final class Counter: @unchecked Sendable {
    // Guarded by the lock.
    private var total = 0
    private let lock = NSLock()
    func add(_ count: Int) { lock.withLock { total += count } }
    var value: Int { lock.withLock { total } }
}

@Suite(.serialized) struct ServerTests {
    @Test func aServerStartsLivesAndStops() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let log = part.appendingPathComponent("log")
            let server = try await host.start(["sh", "-c", "echo up; echo on; exec sleep 300"], workingFolder: part, log: log)
            #expect(await eventually { ((try? String(contentsOf: log, encoding: .utf8)) ?? "").split(separator: "\n").count == 2 })
            #expect(server.ending == nil)
            #expect(try String(contentsOf: log, encoding: .utf8) == "up\non\n")
            // Not that of the program that put it into the quarantine.
            #expect(await eventually { ProcessTable.name(of: server.pid) == "sleep" })
            #expect(ProcessTable.effectiveUser(of: server.pid) == host.userID)
            await server.stop([(SIGTERM, .seconds(5))])
            #expect(server.ending?.signal == SIGTERM)
            #expect(kill(server.pid, 0) != 0)
            await server.stop([(SIGTERM, .seconds(5))])
        }
    }

    @Test func aServerThatIgnoresItsSignalIsKilled() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let log = part.appendingPathComponent("log")
            let server = try await host.start(
                ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], workingFolder: part, log: log)
            #expect(await eventually { (try? String(contentsOf: log, encoding: .utf8)) == "up\n" })
            await server.stop([(SIGTERM, .milliseconds(200))])
            #expect(server.ending?.signal == SIGKILL)
        }
    }

    @Test func aServerThatEndsByItselfIsNoticed() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let server = try await host.start(["sh", "-c", "exit 7"], workingFolder: part, log: part.appendingPathComponent("log"))
            #expect(await eventually { server.ending != nil })
            #expect(server.ending?.exitCode == 7)
        }
    }

    @Test func aServerStartedByACancelledTaskIsStillHeld() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await host.start(["sleep", "300"], workingFolder: part, log: part.appendingPathComponent("log"))
            }
            let server = try await task.value
            #expect(server.ending == nil)
            await server.stop([(SIGTERM, .seconds(5))])
            #expect(server.ending != nil)
        }
    }

    @Test func aMissingServerIsNamed() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let error = await #expect(throws: ScratchError.self) {
                try await host.start(["no-such-server"], workingFolder: part, log: part.appendingPathComponent("log"))
            }
            #expect(error?.kind == .toolMissing)
        }
    }

    @Test func removingEndsWhatStillRuns() async throws {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test")
        let part = try host.folder.privateFolder("p")
        let server = try await host.start(["sleep", "300"], workingFolder: part, log: part.appendingPathComponent("log"))
        // Carries no mark of its own, and is found by the folder that it works in.
        let stray = try await host.start(
            ["env", "-i", "/bin/sh", "-c", "exec sleep 300"], workingFolder: part, log: part.appendingPathComponent("log2"))
        try await host.remove()
        #expect(await eventually { server.ending != nil && stray.ending != nil })
        #expect(!FileManager.default.fileExists(atPath: host.folder.url.path))
    }

    @Test func nothingButPostgresIsEverAskedToDumpCore() async throws {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test")
        let part = try host.folder.privateFolder("p")
        let server = try await host.start(["sleep", "300"], workingFolder: part, log: part.appendingPathComponent("log"))
        try await host.remove()
        #expect(await eventually { server.ending != nil })
        #expect(server.ending?.signal == SIGTERM)
    }

    @Test func theKernelsViewBecomesCases() async throws {
        try await withScratchHost { host in
            let part = try host.folder.privateFolder("p")
            let server = try await host.start(["sleep", "300"], workingFolder: part, log: part.appendingPathComponent("log"))
            #expect(ProcessTable.name(of: server.pid) == "sleep")
            let answers = await QuarantineAnswers.ask(server, host: host)
            let cases = QuarantineCases.make(answers, service: "s", demand: QuarantineDemand(network: true, files: true))
            #expect(cases.count == 6)
            #expect(cases.allSatisfy { $0.verdict == .passed || !host.isolation.isWhole }, "\(cases)")
            await server.stop([(SIGTERM, .seconds(5))])
        }
    }
}

@Suite struct QuarantineCaseTests {
    private func cases(
        user: UInt32? = 65534, endsKeeper: Bool? = false, gainsNothing: Bool? = true, network: NetworkView?, internet: Bool? = nil,
        isolation: Isolation = Isolation(network: .namespace, files: .view, processes: true), openable: [String]? = [],
        changeable: [String]? = [], sockets: [String]? = [], own: Bool = false, demand: Bool = false
    ) -> [Verdict] {
        let answers = QuarantineAnswers(
            effectiveUser: user, userName: "nobody", gainsNothing: gainsNothing, network: network, internet: internet,
            hasOwnProcesses: own, endsKeeper: endsKeeper, isolation: isolation, openable: openable, changeable: changeable, sockets: sockets
        )
        return QuarantineCases.make(answers, service: "s", demand: QuarantineDemand(network: demand, files: demand)).map(\.verdict)
    }
    private let closed = NetworkView(interfaces: [], routes: 0, listeners: 0, separate: true)
    private let shared = NetworkView(interfaces: ["eth0"], routes: 2, listeners: 5, separate: false)
    private let green = [Verdict](repeating: .passed, count: 6)

    @Test func theNetworksVerdicts() {
        #expect(cases(network: closed) == green)
        #expect(cases(network: shared)[1...2] == [.skipped, .skipped])
        #expect(cases(network: shared, demand: true)[1...2] == [.skipped, .error])
        #expect(cases(network: NetworkView(interfaces: [], routes: 0, listeners: 1, separate: true))[1...2] == [.failed, .passed])
        #expect(
            cases(network: NetworkView(interfaces: ["eth0"], routes: 1, listeners: 0, separate: true), demand: true)[2] == .error)
        // A container without a network: nothing leads out, and who listens there is not known.
        #expect(cases(network: NetworkView(interfaces: [], routes: 0, listeners: 1, separate: false))[1...2] == [.skipped, .passed])
    }

    @Test func aFilterCountsWhereItWasSeenToHold() {
        let filter = Isolation(network: .filter, files: .landlock, processes: false)
        #expect(cases(network: shared, internet: false, isolation: filter)[0...3] == green[0...3])
        #expect(cases(network: shared, internet: true, isolation: filter, demand: true)[1...2] == [.skipped, .error])
        #expect(cases(network: shared, internet: nil, isolation: filter, demand: true)[1...2] == [.skipped, .error])
    }

    @Test func theUsersVerdicts() {
        #expect(cases(user: 0, network: closed)[0] == .failed)
        #expect(cases(gainsNothing: false, network: closed)[0] == .failed)
        #expect(cases(gainsNothing: nil, network: closed)[0] == .error)
        #expect(cases(user: nil, network: nil) == [.error, .error, .error, .passed, .passed, .passed])
    }

    @Test func whatIsInReachIsToldAndCanBeDemanded() {
        #expect(cases(network: closed, openable: ["/k"])[3] == .skipped)
        #expect(cases(network: closed, openable: ["/k"], demand: true)[3] == .error)
        #expect(cases(network: closed, openable: nil)[3] == .error)
        #expect(cases(network: closed, sockets: ["/s"])[4] == .skipped)
        #expect(cases(network: closed, sockets: ["/s"], demand: true)[4] == .error)
        #expect(cases(network: closed, sockets: nil)[4] == .error)
        #expect(cases(network: closed, changeable: ["/k"])[3] == .skipped)
        #expect(cases(network: closed, changeable: ["/k"], demand: true)[3] == .error)
        // Not all of a machine's sockets can be known: nothing but a view of files keeps them out of reach.
        let landlock = Isolation(network: .namespace, files: .landlock, processes: false)
        #expect(cases(network: closed, isolation: landlock)[4] == .skipped)
        #expect(cases(network: closed, isolation: landlock, demand: true)[4] == .error)
    }

    @Test func whatCouldOutliveADrillIsTold() {
        #expect(cases(endsKeeper: false, network: closed)[5] == .passed)
        #expect(cases(endsKeeper: true, network: closed)[5] == .skipped)
        #expect(cases(endsKeeper: nil, network: closed)[5] == .error)
        #expect(cases(endsKeeper: true, network: closed, own: true)[5] == .passed)
        // A kernel whose Landlock keeps no signals: nothing is assumed of it.
        let landlock = Isolation(network: .namespace, files: .landlock, processes: false)
        #expect(cases(endsKeeper: true, network: closed, isolation: landlock)[5] == .skipped)
    }
}
