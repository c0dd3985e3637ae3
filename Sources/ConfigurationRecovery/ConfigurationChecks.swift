// What is asked of a `.env` file that came back. Only names of keys are ever in an answer.

public import Cryptography
public import DrillModel
import Foundation
import Glibc

extension Rule {
    static let configurationUnreadable = Rule("configuration-unreadable")
    static let configurationLineMalformed = Rule("configuration-line-malformed")
    static let configurationKeyTwice = Rule("configuration-key-twice")
    static let configurationKeyMissing = Rule("configuration-key-missing")
    static let configurationKeyBlank = Rule("configuration-key-blank")
    static let configurationKeyExtra = Rule("configuration-key-extra")
    static let configurationValueDiffers = Rule("configuration-value-differs")
}

/// The questions of one `.env` backup.
public struct ConfigurationChecks: Sendable {
    /// What production runs with.
    public enum Live: Sendable {
        /// The estate names none.
        case undeclared
        /// It can't be had here and now.
        case unavailable(Finding)
        /// - Parameter changedSince: Whether it may have been changed since the instant that is asked for: then a difference proves nothing.
        case known(EnvFile, changedSince: Bool)
    }

    public var service: String
    /// The artifact, for findings.
    public var object: String
    public var promise: ConfigurationPromise

    public init(service: String, object: String, promise: ConfigurationPromise) {
        self.service = service
        self.object = object
        self.promise = promise
    }

    private func label(_ name: String, _ file: EnvFile) -> String { file.label(name, declared: promise.required + promise.mayDiffer) }

    // MARK: Is it a .env file?

    /// - Throws: ``DrillFailure`` (failed) where it is none.
    public static func parse(_ secret: Secret, object: String, isDecrypted: Bool) throws(DrillFailure) -> EnvFile {
        do throws(EnvFile.Unreadable) {
            return try EnvFile(parsing: secret)
        } catch {
            throw .failed(
                Finding(
                    .configurationUnreadable, object: object, expected: "lines of KEY=value",
                    actual: error == .notText ? "something that is no text" : "not a single key",
                    message: "the stored file is no .env file",
                    hint: Finding.strangerHint(isDecrypted: isDecrypted, then: "look at what the backup job stores")))
        }
    }

    /// Every line was understood, and no key is there twice.
    public func readable(_ file: EnvFile) -> CaseResult {
        var findings = file.malformedLines.prefix(20).map { line in
            Finding(
                .configurationLineMalformed, object: "\(object), line \(line)", expected: "KEY=value", actual: "something else",
                message: "line \(line) can't be read as KEY=value",
                hint: "look at that line: an application may read it in another way, or not at all")
        }
        if file.malformedLines.count > 20 {
            findings.append(
                Finding(
                    .configurationLineMalformed, object: object, expected: "KEY=value", actual: "\(file.malformedLines.count) other lines",
                    message: "\(file.malformedLines.count - 20) more lines can't be read", hint: "look at what the backup job stores"))
        }
        findings += file.duplicates.map { name in
            let name = label(name, file)
            return Finding(
                .configurationKeyTwice, .warning, object: name, expected: "each key once", actual: "\(name) more than once",
                message: "the key \(name) is there more than once", hint: "remove all but one: which of them counts depends on who reads it"
            )
        }
        return .judged(.restore, service: service, name: "every line can be read", findings: findings)
    }

    // MARK: Are the keys there?

    public func required(_ file: EnvFile) -> CaseResult {
        let name = "the required keys are there"
        guard !promise.required.isEmpty else {
            return .skipped(.keys, service: service, name: name, reason: "the estate names no required keys for this backup")
        }
        let findings = promise.required.compactMap { key -> Finding? in
            guard file.has(key) else {
                return Finding(
                    .configurationKeyMissing, object: key, expected: "in the backup", actual: "not there",
                    message: "the required key \(key) is not in the backup",
                    hint: "find out when the backup lost it, and put it where the backup job reads; or mend \"required\" in the estate file"
                )
            }
            guard file.isBlank(key) else { return nil }
            return Finding(
                .configurationKeyBlank, object: key, expected: "a value", actual: "nothing behind the =",
                message: "the required key \(key) has no value",
                hint: "find out when the backup lost it; or mend \"required\" in the estate file")
        }
        return .judged(.keys, service: service, name: name, findings: findings)
    }

    // MARK: Is it what production runs with?

    public func compared(_ file: EnvFile, with live: Live) -> CaseResult {
        let name = "it is what production runs with"
        switch live {
        case .undeclared:
            return .skipped(.content, service: service, name: name, reason: "the estate names no live configuration to compare with")
        case .unavailable(let finding):
            return .unasked(.content, service: service, name: name, finding: finding)
        case .known(let running, let changedSince):
            let findings = differences(file, running)
            if !findings.isEmpty, changedSince {
                return .skipped(
                    .content, service: service, name: name,
                    reason: "it differs from the live one, which may have been changed since the incident: nothing says what it was then")
            }
            return .judged(.content, service: service, name: name, findings: findings)
        }
    }

    private func differences(_ file: EnvFile, _ live: EnvFile) -> [Finding] {
        let names = Set(file.names).union(live.names).sorted().filter { name in !promise.mayDiffer.contains { fnmatch($0, name, 0) == 0 } }
        return names.compactMap { key in
            let name = file.has(key) ? label(key, file) : label(key, live)
            switch (file.has(key), live.has(key)) {
            case (true, true):
                guard !file.agrees(with: live, on: key) else { return nil }
                return Finding(
                    .configurationValueDiffers, object: name, expected: "the live value", actual: "another one",
                    message: "the key \(name) has another value than the live one",
                    hint: "back the configuration up after each change; where they are meant to differ, add \(name) to may-differ")
            case (false, _):
                return Finding(
                    .configurationKeyMissing, object: name, expected: "in the backup, as in the live configuration", actual: "not there",
                    message: "the live key \(name) is not in the backup",
                    hint: "back the configuration up after each change; where they are meant to differ, add \(name) to may-differ")
            case (true, false):
                return Finding(
                    .configurationKeyExtra, object: name, expected: "in the live configuration, too", actual: "in the backup alone",
                    message: "the key \(name) of the backup is not in the live configuration",
                    hint: "back the configuration up after each change; where they are meant to differ, add \(name) to may-differ")
            }
        }
    }
}
