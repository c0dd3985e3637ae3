// What production runs now: its configuration and its commit, asked where the estate says.

import BackupCatalog
public import CodeRecovery
public import ConfigurationRecovery
import Cryptography
public import DrillModel
public import Foundation
import Glibc
public import ScratchHost

extension Rule {
    static let liveConfigurationUnreadable = Rule("live-configuration-unreadable")
    static let runningCommitUnknown = Rule("running-commit-unknown")
}

/// Asks production, by reading a file of this machine or by a command of the estate's.
public struct ProductionState: Sendable {
    var estate: Estate
    var host: ScratchHost
    /// What the answers are held against: the incident, or the instant that is judged for.
    var instant: Date

    public init(estate: Estate, host: ScratchHost, instant: Date) {
        self.estate = estate
        self.host = host
        self.instant = instant
    }

    /// The answer of a command says nothing of an instant longer ago than this.
    private static let stillNow: TimeInterval = 3600

    public func configuration(of set: BackupSet) async throws -> ConfigurationChecks.Live {
        guard let reference = set.configuration?.live else { return .undeclared }
        func unavailable(_ actual: String, hint: String) -> ConfigurationChecks.Live {
            .unavailable(
                Finding(
                    .liveConfigurationUnreadable, object: "live configuration of \(set.service)", expected: "lines of KEY=value",
                    actual: actual,
                    message: "the live configuration can't be read", hint: hint))
        }
        let changed: Bool
        let secret: Secret
        switch try await ask(reference) {
        case .none(let why): return unavailable(why, hint: "check \"live\" in the estate file, and that this user may read it")
        case .some(let answer, let since): (secret, changed) = (answer, since)
        }
        do throws(EnvFile.Unreadable) {
            let file = try EnvFile(parsing: secret)
            // Comparing with half of it would blame the backup.
            if let line = file.malformedLines.first {
                return unavailable("line \(line) is no KEY=value", hint: "mend that line of the live configuration")
            }
            return .known(file, changedSince: changed)
        } catch {
            return unavailable("no .env file", hint: "check \"live\" in the estate file")
        }
    }

    public func commit(of set: BackupSet) async throws -> CodeChecks.Running {
        let reference: KeyReference
        switch set.code?.runs {
        case nil: return .undeclared
        case .commit(let hash): return .commit(hash, changedSince: false)
        case .file(let url): reference = .file(url)
        case .command(let words): reference = .command(words)
        }
        func unavailable(_ actual: String) -> CodeChecks.Running {
            .unavailable(
                Finding(
                    .runningCommitUnknown, object: "running commit of \(set.service)", expected: "the hash of a commit, and nothing else",
                    actual: actual, message: "which commit production runs can't be told",
                    hint: "check \"runs\" in the estate file, and that this user may read it"))
        }
        switch try await ask(reference) {
        case .none(let why): return unavailable(why)
        case .some(let secret, let changed):
            let text = secret.withBytes { String(decoding: $0.prefix(200), as: UTF8.self) }.trimmingCharacters(in: .whitespacesAndNewlines)
            // Whatever else stands there is not repeated: it may be anything.
            guard text.wholeMatch(of: /[0-9A-Fa-f]{7,64}/) != nil else { return unavailable("something else") }
            return .commit(text.lowercased(), changedSince: changed)
        }
    }

    private enum Answer {
        case none(String)
        case some(Secret, changedSince: Bool)
    }

    private func ask(_ reference: KeyReference) async throws -> Answer {
        switch reference {
        case .file(let url):
            var info = stat()
            guard stat(url.path, &info) == 0 else { return .none("no file \(url.path)") }
            guard let data = try? Data(contentsOf: url) else { return .none("no access to \(url.path)") }
            let modified = Date(timeIntervalSince1970: TimeInterval(info.st_mtim.tv_sec))
            return data.isEmpty ? .none("an empty file \(url.path)") : .some(Secret(data), changedSince: modified > instant)
        case .command(let words):
            let changed = Date().timeIntervalSince(instant) > Self.stillNow
            // Into a file that only this user may read, and for a moment: what it prints may be secret.
            let file = host.folder.url.appendingPathComponent("asked-\(UUID().uuidString)")
            defer { for name in [file, file.appendingPathExtension("err")] { try? FileManager.default.removeItem(at: name) } }
            let hidden = Keyring(estate).secretVariables
            let environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
            do {
                let result = try await host.runAsInvoker(words, environment: environment, isolated: false, output: file)
                guard result.succeeded else { return .none("its command ended with \(result.ending)") }
            } catch let error as ScratchError {
                return .none("its command can't be started: \(error.message)")
            }
            guard let data = try? Data(contentsOf: file), !data.isEmpty else { return .none("its command printed nothing") }
            return .some(Secret(data), changedSince: changed)
        case .environment: return .none("an environment variable")
        }
    }
}
