// Real processes: applications that are well, that are not, that die, and that can't make up their mind.

import ApplicationRecovery
import DrillModel
import Foundation
import ScratchHost
import TestSupport
import Testing

private let python = "/usr/bin/python3"

@Suite(.enabled(if: TestMachine.inCI || FileManager.default.isExecutableFile(atPath: python), "python3 is not installed"))
struct HealthTests {
    /// A web server on the Unix socket or port that the first argument names; the second says how it behaves.
    private static let server = #"""
        import http.server, itertools, os, socketserver, sys, time
        listen, mode, began, count = sys.argv[1], sys.argv[2], time.time(), itertools.count()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                age = time.time() - began
                status, body = 200, '{"status": "ok"}'
                if mode == "wrong-body": body = '{"status": "broken", "user": "hunter2"}'
                if mode == "wrong-status": status = 503
                if mode == "redirect": status = 302
                if mode == "flapping" and next(count) % 2: status = 500
                if mode == "late" and age < 1: status = 503
                if mode == "silent": time.sleep(60)
                self.send_response(status)
                if mode == "redirect": self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body.encode())
            def address_string(self): return "client"

        class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
        class TCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer): daemon_threads = True

        if mode == "dies": sys.exit(7)
        if mode == "killed": os.kill(os.getpid(), 9)
        server = TCPServer(("127.0.0.1", int(listen)), Handler) if listen.isdecimal() else UnixServer(listen, Handler)
        if mode == "dies-later":
            import threading
            threading.Timer(0.5, lambda: os._exit(9)).start()
        server.serve_forever()
        """#

    private static let health = HealthProbe.http(path: "/health", status: 200, body: #""status": *"ok""#, port: nil)

    private func source(_ files: [String: String] = ["server.py": Self.server]) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-app-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: file)
            if text.hasPrefix("#!") { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path) }
        }
        return folder
    }

    /// Starts it, waits for its health, and ends it.
    private func start(
        _ mode: String, probes: [HealthProbe] = [health], hold: Duration = .milliseconds(600), within: Duration = .seconds(120),
        firstAnswer: Bool = false, command: [String]? = nil, files: [String: String]? = nil, environment: [String: String] = [:],
        then body: @Sendable (ScratchApplication, ScratchHost) async throws -> Void = { _, _ in }
    ) async throws -> (taken: Duration, answering: ContinuousClock.Instant) {
        let folder = try files.map(source) ?? source()
        defer { try? FileManager.default.removeItem(at: folder) }
        let port = probes.compactMap(\.port).first
        let application = Application(
            name: "web", start: [], code: .folder(folder), health: HealthPromise(hold: hold, within: within, probes: probes))
        return try await withScratchHost { host in
            let places = try ApplicationPlaces(on: host)
            try await places.copy(folder, on: host)
            let listen = port.map(String.init) ?? places.socket.path
            let began = ContinuousClock.now
            let running = try await ScratchApplication.start(
                application, command: command ?? [python, "server.py", listen, mode], environment: environment, places: places, host: host)
            let probes = ProcessProbes(running, environment: ["GIVEN": "yes"]) { $0.map(\.text) }
            do {
                let answering = try await HealthWatch(running) { probe in
                    let answer: ProbeAnswer =
                        switch probe {
                        case .http(let path, let status, let body, let port):
                            try await probes.http(path: path, status: status, body: body, port: port)
                        case .tcp(let port): probes.tcp(port: port)
                        case .command(let run, let code): try await probes.command(run, expectExit: code)
                        case .sql: .holds
                        }
                    // As soon as there is one: how long a server takes to listen, and to answer, is the machine's business.
                    let early = mode == "silent" ? ["nobody listens"] : ["nobody listens", "no answer in time"]
                    if firstAnswer, case .fails(_, let actual) = answer, !early.contains(actual) { throw Answered(answer: answer) }
                    return answer
                }.wait()
                let taken = began.duration(to: .now)
                try await body(running, host)
                await running.stop()
                #expect(running.process.ending != nil)
                return (taken, answering)
            } catch {
                await running.stop()
                throw error
            }
        }
    }

    private struct Answered: Error {
        var answer: ProbeAnswer
    }

    private func failure(_ body: () async throws -> Void) async throws -> DrillFailure {
        do {
            try await body()
        } catch let failure as DrillFailure {
            return failure
        }
        Issue.record("it was taken for well")
        throw CancellationError()
    }

    @Test func wellAndForAsLongAsPromised() async throws {
        let (taken, answering) = try await start("well") { running, host in
            #expect(ProcessTable.effectiveUser(of: running.process.pid) == host.userID)
            if host.isolation.network == .namespace {
                let view = try #require(NetworkView.of(pid: running.process.pid))
                #expect(view.separate && view.interfaces.isEmpty && view.routes == 0 && view.listeners == 0)
            }
            // It works in a copy, and its own files stay as they are.
            #expect(FileManager.default.fileExists(atPath: running.places.files.appendingPathComponent("server.py").path))
        }
        #expect(taken >= .milliseconds(600) && answering.duration(to: .now) >= .milliseconds(600))
    }

    @Test func aSlowStartIsNoFailure() async throws {
        let (taken, _) = try await start("late")
        #expect(taken >= .milliseconds(1600))
    }

    @Test(arguments: [
        ("wrong-body", "a body that matches \"status\": *\"ok\"", "status 200, and a body of 39 bytes that doesn't match"),
        ("wrong-status", "status 200", "status 503"), ("redirect", "status 200", "status 302"),
    ])
    func wrongAnswers(mode: String, expected: String, actual: String) async throws {
        let answered = await #expect(throws: Answered.self) { _ = try await start(mode, firstAnswer: true) }
        #expect(answered?.answer == .fails(expected: expected, actual: actual))
        let failure = try await failure { _ = try await start(mode, within: .seconds(2)) }
        #expect(failure.verdict == .failed && failure.finding.rule.name == "application-unhealthy")
        #expect(failure.finding.object == "web: GET /health" && !"\(failure)".contains("hunter2"))
    }

    @Test func noAnswerAtAll() async throws {
        let answered = await #expect(throws: Answered.self) { _ = try await start("silent", firstAnswer: true) }
        #expect(answered?.answer == .fails(expected: "status 200", actual: "no answer in time"))
        let failure = try await failure { _ = try await start("x", within: .seconds(2), command: ["sleep", "600"]) }
        #expect(
            failure.verdict == .failed && failure.finding.rule.name == "application-unhealthy" && failure.finding.actual == "nobody listens"
        )
    }

    @Test(arguments: [("dies", "exit 7"), ("killed", "signal 9"), ("dies-later", "exit 9")])
    func anApplicationThatDies(mode: String, ending: String) async throws {
        // Nobody waits for the dead: neither of these times is over before the test is.
        let failure = try await failure { _ = try await start(mode, hold: .seconds(3600), within: .seconds(3600)) }
        #expect(failure.verdict == .failed && failure.finding.rule.name == "application-died" && failure.finding.actual == ending)
    }

    /// It ends with 0, as one that puts itself into the background does.
    @Test func oneThatLeavesTheForegroundHasDied() async throws {
        let failure = try await failure { _ = try await start("x", command: ["true"]) }
        #expect(failure.finding.rule.name == "application-died" && failure.finding.actual == "exit 0")
    }

    @Test func flappingHealthNeverHolds() async throws {
        let failure = try await failure { _ = try await start("flapping", hold: .milliseconds(1500), within: .seconds(40)) }
        #expect(failure.verdict == .failed && failure.finding.rule.name == "application-unhealthy")
        #expect(failure.finding.message.contains("broke off"), "\(failure.finding.message)")
    }

    @Test func portsOfItsOwnNetwork() async throws {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "test")
        let canHave = await host.canHaveLoopback()
        try await host.remove()
        let http = HealthProbe.http(path: "/", status: 200, body: nil, port: 18080)
        let curl = HealthProbe.command(run: ["curl", "-sf", "http://127.0.0.1:18080/"].map { Template($0) }, expectExit: 0)
        if canHave {
            _ = try await start("well", probes: [http, .tcp(port: 18080), curl]) { running, host in
                let view = try #require(NetworkView.of(pid: running.process.pid))
                #expect(view.separate && view.interfaces.isEmpty && view.routes == 0 && view.listeners == 1)
                #expect(ProcessTable.effectiveUser(of: running.process.pid) == host.userID)
            }
            let failure = try await failure {
                _ = try await start(
                    "well", probes: [.tcp(port: 18081)], within: .seconds(2), command: [python, "server.py", "18080", "well"])
            }
            #expect(failure.verdict == .failed && failure.finding.object == "web: port 18081")
        } else {
            let failure = try await failure { _ = try await start("well", probes: [http]) }
            #expect(failure.verdict == .error && failure.finding.rule.name == "application-network-missing")
        }
    }

    @Test func commandsBesideIt() async throws {
        func command(_ script: String, exit: Int = 0) -> HealthProbe {
            .command(run: ["sh", "-c", script].map { Template($0) }, expectExit: exit)
        }
        _ = try await start("well", probes: [command("test \"$GIVEN\" = yes && test -f server.py"), command("exit 3", exit: 3)])
        var failure = try await failure { _ = try await start("well", probes: [command("echo hunter2; exit 4")], within: .seconds(1)) }
        #expect(failure.verdict == .failed && failure.finding.expected == "exit 0" && failure.finding.actual == "exit 4")
        #expect(!"\(failure)".contains("hunter2"))
        failure = try await self.failure {
            _ = try await start("well", probes: [.command(run: [Template("muster-no-such-program")], expectExit: 0)])
        }
        #expect(failure.verdict == .error && failure.finding.rule.name == "application-tool-missing")
    }

    // MARK: Whose fault it is

    @Test func aMissingInterpreterIsThisMachines() async throws {
        var failure = try await failure { _ = try await start("x", command: ["muster-no-such-program"]) }
        #expect(failure.verdict == .error && failure.finding.object == "muster-no-such-program")
        failure = try await self.failure {
            _ = try await start("x", command: ["./run"], files: ["run": "#!/usr/bin/env muster-no-such-program\n"])
        }
        #expect(failure.verdict == .error && failure.finding.object == "muster-no-such-program")
    }

    @Test func aMissingProgramIsTheCodes() async throws {
        let failure = try await failure { _ = try await start("x", command: ["./run"]) }
        #expect(failure.verdict == .failed && failure.finding.rule.name == "application-incomplete" && failure.finding.object == "./run")
    }

    @Test func aProgramAmongItsFiles() async throws {
        let probe = HealthProbe.command(run: ["test", "-f", "was-here"].map { Template($0) }, expectExit: 0)
        _ = try await start("x", probes: [probe], command: ["./bin"], files: ["bin": "#!/bin/sh\ntouch was-here; exec sleep 6000\n"])
    }

    @Test func aFolderThatIsNotThere() async throws {
        try await withScratchHost { host in
            let places = try ApplicationPlaces(on: host)
            let failure = try await failure { try await places.copy(URL(fileURLWithPath: "/nowhere/at/all"), on: host) }
            #expect(failure.verdict == .error && failure.finding.rule.name == "application-files-unreadable")
        }
    }

    /// Nothing of Muster's own environment reaches it.
    @Test func itsEnvironmentIsBare() async throws {
        setenv("MUSTER_TEST_SECRET", "hunter2", 1)
        defer { unsetenv("MUSTER_TEST_SECRET") }
        let probe = HealthProbe.command(run: ["sh", "-c", "test -f env.txt"].map { Template($0) }, expectExit: 0)
        _ = try await start(
            "x", probes: [probe], command: ["sh", "-c", "env > env.txt; exec sleep 6000"], environment: ["OWN": "value"]
        ) { running, host in
            let text = try String(contentsOf: running.places.files.appendingPathComponent("env.txt"), encoding: .utf8)
            let names = Set(text.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
            #expect(
                names.subtracting(["PWD", "_", "SHLVL", "OLDPWD"]) == [
                    "PATH", "LC_ALL", "TZ", "HOME", "TMPDIR", "MUSTER_SCRATCH_ID", "OWN",
                ])
        }
    }
}
