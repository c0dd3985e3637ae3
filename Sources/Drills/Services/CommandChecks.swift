// Runs a drill file's own commands beside a scratch server: inside the quarantine, without a way to anything else.

import ApplicationRecovery
import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import PostgresRecovery
import RedisRecovery
import ScratchHost

extension Rule {
    static let commandFailed = Rule("command-failed")
    static let commandOutputUnexpected = Rule("command-output-unexpected")
    static let commandNotRun = Rule("command-not-run")
}

/// The commands of one service's checks.
struct CommandChecks: Sendable {
    let service: String
    /// The service's place in the plan: a program of the quarantine sees no folders but those of its own recovery, which are named by it.
    let index: Int
    let plan: DrillPlan
    let host: ScratchHost

    /// Output that is looked at; a command that is judged by more says so by its exit code.
    private static let most = 64 << 10

    /// What a restored Postgres' checks may do with its server.
    ///
    /// - Parameter rolesLack: Why its roles are not those of the source; nil where the backup brought them.
    func scratch(_ server: ScratchPostgres, _ database: String, rolesLack: String? = nil) -> PostgresCheckContext.Scratch {
        PostgresCheckContext.Scratch(rolesLack: rolesLack) { role throws(PostgresError) in
            try await PostgresConnection.connect(
                server.configuration(database: database, role: role, settings: ["lock_timeout": "60s"]))
        } run: { check, role in
            // What is asked later, and the application, are to find what came back; a command that has to write says so itself.
            await run(
                check, at: .postgres(server.configuration(database: database, role: role ?? server.superuser)),
                telling: server.environment(database: database, role: role, readOnly: true))
        }
    }

    /// What a restored Redis' checks may do with its server.
    func run(_ server: ScratchRedis) -> @Sendable (CommandCheck) async -> CaseResult {
        { check in await run(check, at: .redis(server), telling: ["MUSTER_SOCKET": server.socketPath]) }
    }

    /// Never a check that was not asked: whatever keeps a command from running is its case's error.
    private func run(_ check: CommandCheck, at endpoint: ScratchEndpoint, telling variables: [String: String]) async -> CaseResult {
        let start = ContinuousClock.now
        var findings: [Finding] = []
        do {
            findings = try await judge(check, endpoint, variables)
            // What a command says of a server that is gone, good or bad, says nothing of the backup.
            if let failure = await endpoint.failure(of: service) { throw failure }
        } catch let failure as DrillFailure {
            return .unasked(.declared, service: service, name: check.name, duration: start.duration(to: .now), finding: failure.finding)
        } catch {
            let problem = error as? ScratchError
            return .unasked(
                .declared, service: service, name: check.name, duration: start.duration(to: .now),
                finding: problem.map { notRun(check, $0.message, hint: $0.hint) }
                    ?? Finding(
                        .commandNotRun, object: check.name, message: "the drill was ended while the command ran", hint: "run it again"))
        }
        return .judged(.declared, service: service, name: check.name, duration: start.duration(to: .now), findings: findings)
    }

    private func judge(_ check: CommandCheck, _ endpoint: ScratchEndpoint, _ variables: [String: String]) async throws -> [Finding] {
        // Nobody else's until all is copied: what a backup brought could lead the copy elsewhere by a link.
        let run = host.folder.url.appendingPathComponent(
            "k\(index)-\(Self.word(of: check))-\(UUID().uuidString.prefix(8).lowercased())", isDirectory: true)
        try host.folder.makeOwnPlace(run)
        let files = run.appendingPathComponent("files", isDirectory: true)
        let words = try check.run.map { try filled($0, check, endpoint) }
        let command = try await resolve(words, check, files)
        var environment = ["HOME": run.path, "TMPDIR": run.path, "MUSTER_DRILL": plan.name, "MUSTER_SERVICE": service]
        environment.merge(variables) { $1 }
        environment.merge(try check.environment.mapValues { try filled($0, check, endpoint) }) { $1 }
        let (output, errors, complete) = (run.appendingPathComponent("output"), run.appendingPathComponent("errors"), environment)
        let result = try await TimeLimit.run(check.timeout) { [host] in
            try await host.run(
                command, environment: complete, workingFolder: files, output: output, errors: errors)
        }
        guard let result else {
            throw DrillFailure.error(
                Finding(
                    .commandNotRun, object: check.name, expected: "an end within \(check.timeout.components.seconds) s", actual: "none",
                    message: "the command took longer than its timeout, and was ended",
                    hint: "give it a longer \"timeout\", or run again with --keep, and read \(run.lastPathComponent) in the scratch folder")
            )
        }
        // What starts it in the quarantine ends with codes of its own where it can't.
        if [125, 127].contains(result.exitCode), UnlinkedFile.data(errors)?.starts(with: Data("muster-sandbox: ".utf8)) == true {
            throw DrillFailure.error(
                notRun(
                    check, "it could not be started in the quarantine",
                    hint: "run again with --keep, and read errors in \(place(of: check))"))
        }
        guard result.exitCode == check.exitCode else {
            return [
                Finding(
                    .commandFailed, object: check.name, expected: "exit \(check.exitCode)", actual: result.ending,
                    message: "the command does not find the restored \(service) as it should be",
                    hint: "run again with --keep, and read output and errors in \(place(of: check))")
            ]
        }
        return try expectation(check, output)
    }

    /// By which a person finds a check's folder.
    private static func word(of check: CommandCheck) -> String {
        let words = check.name.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.joined(separator: "-")
        return words.isEmpty ? "check" : String(words.prefix(30))
    }

    private func place(of check: CommandCheck) -> String { "k\(index)-\(Self.word(of: check))-… of the scratch folder" }

    private func expectation(_ check: CommandCheck, _ output: URL) throws -> [Finding] {
        guard let expected = check.output else { return [] }
        guard let data = UnlinkedFile.whole(output, of: Self.most) else {
            throw DrillFailure.error(
                Finding(
                    .commandNotRun, object: check.name, expected: "64 KiB at the most", actual: "more, or no file",
                    message: "what the command wrote can't be compared", hint: "write only what \"expect\" is compared with"))
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !expected.isSatisfied(by: text.isEmpty ? nil : text) else { return [] }
        return [
            Finding(
                .commandOutputUnexpected, object: check.name, expected: "\(expected)",
                actual: text.isEmpty ? "nothing" : PostgresChecks.shown(text),
                message: "the command's output is not what the drill file expects",
                hint: "look at how old the backup is and how it was made; if the expectation is wrong, mend the drill file")
        ]
    }

    /// The program and its arguments; what is the user's own is copied first.
    private func resolve(_ words: [String], _ check: CommandCheck, _ files: URL) async throws -> [String] {
        let program = words[0]
        let isOwn = program.contains("/") && !program.hasPrefix("/")
        let base = check.folder ?? plan.file.deletingLastPathComponent()
        if let folder = check.folder {
            try await copy(["cp", "-RP", "--preserve=mode,timestamps", "--", folder.path + "/.", files.path], to: files, check)
        } else {
            let source = base.appendingPathComponent(program).standardizedFileURL.path
            guard !isOwn || FileManager.default.fileExists(atPath: source) else {
                throw DrillFailure.error(
                    notRun(check, "there is no file \(source)", hint: "check \"run\" in the drill file: it starts at the file's own folder")
                )
            }
            let target = files.appendingPathComponent((program as NSString).lastPathComponent).path
            try await copy(isOwn ? ["cp", "-L", "--preserve=mode,timestamps", "--", source, target] : nil, to: files, check)
        }
        guard isOwn else {
            guard let path = host.locate(program) else {
                throw DrillFailure.error(
                    notRun(
                        check, "\(program) is not on this machine, or only root may run it", hint: "install it, or put its folder on PATH"))
            }
            return [path] + words.dropFirst()
        }
        let file = files.appendingPathComponent(check.folder == nil ? (program as NSString).lastPathComponent : program).standardizedFileURL
        guard FileManager.default.isExecutableFile(atPath: file.path) else {
            throw DrillFailure.error(
                notRun(
                    check, "\(program) is not in \(base.path), or not executable", hint: "chmod +x it, or check \"run\" in the drill file"))
        }
        if let interpreter = ScriptInterpreter.of(file), host.locate(interpreter) == nil {
            throw DrillFailure.error(
                notRun(check, "\(interpreter), which \(program) is run by, is not on this machine", hint: "install it"))
        }
        return [file.path] + words.dropFirst()
    }

    /// Copies as Muster's own user, who may read it, and gives the copy to the unprivileged one.
    private func copy(_ command: [String]?, to files: URL, _ check: CommandCheck) async throws {
        let run = files.deletingLastPathComponent()
        var commands = [["mkdir", "-p", files.path]] + (command.map { [$0] } ?? [])
        if let user = host.folder.user { commands.append(["chown", "-hR", "\(user.userID):\(user.groupID)", run.path]) }
        for command in commands {
            let log = run.appendingPathComponent("copy.log")
            let result = try await host.runAsInvoker(command, environment: [:], isolated: true, output: log)
            guard result.succeeded else {
                throw DrillFailure.error(
                    notRun(
                        check, "\(check.folder?.path ?? check.run[0].text) can't be copied: \(command[0]) ended with \(result.ending)",
                        hint: "check \"run\" and \"folder\" in the drill file: they start at its own folder"))
            }
        }
    }

    private func filled(_ template: Template, _ check: CommandCheck, _ endpoint: ScratchEndpoint) throws -> String {
        let text = template.filled { owner, field in owner == service ? endpoint.value(field) : nil }
        guard let text else {
            throw DrillFailure.error(
                notRun(check, "a place in \(template.text) can't be filled", hint: "name \(service) and one of its fields"))
        }
        return text
    }

    private func notRun(_ check: CommandCheck, _ why: String, hint: String) -> Finding {
        Finding(.commandNotRun, object: check.name, message: "the command was not run: \(why)", hint: hint)
    }
}
