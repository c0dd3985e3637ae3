// Fetches secrets from where the estate says they are; they are held in memory only.

public import Cryptography
public import DrillModel
import Foundation
import Glibc

extension Rule {
    static let keyMissing = Rule("key-missing")
    static let keyEmpty = Rule("key-empty")
    static let keyUnusable = Rule("key-unusable")
}

/// The estate's secrets, by name.
public struct Keyring: Sendable {
    public var estate: Estate

    public init(_ estate: Estate) {
        self.estate = estate
    }

    /// The secret of a named key.
    ///
    /// - Throws: ``DrillFailure`` (error): it isn't where the estate says. Nothing of it ever shows.
    public func secret(named name: String) throws(DrillFailure) -> Secret {
        guard let reference = estate.keys[name] else {
            throw Self.missing(name, "the estate has no key of this name", hint: "add it under keys in \(estate.file.lastPathComponent)")
        }
        return try Self.secret(reference, named: name, hiding: secretVariables)
    }

    /// A command that tells one secret has no business with the others.
    public var secretVariables: Set<String> {
        let services = estate.services.values.flatMap { service in
            [service.source?.password, (service.standby ?? service.replica)?.connection.password, service.living?.password].compactMap {
                $0
            }
        }
        return Set(
            (Array(estate.keys.values) + services + [estate.seals.signingKey, estate.evidence?.signingKey].compactMap { $0 }
                + estate.notify.flatMap(\.secrets)).compactMap {
                    if case .environment(let variable) = $0 { variable } else { nil }
                })
    }

    /// What opens a backup set's artifacts; nil where it is declared to be in plain text.
    public func decryption(of set: BackupSet) throws(DrillFailure) -> ArtifactStream.Encryption? {
        try decryption(of: set.encryption)
    }

    /// What opens files under an encryption; nil where there is none.
    public func decryption(of encryption: Encryption?) throws(DrillFailure) -> ArtifactStream.Encryption? {
        guard let encryption else { return nil }
        switch encryption.format {
        case .opensslEnc(let iterations, let digest, let derivation):
            let derived: OpenSSLEncCipher.Derivation = derivation == .pbkdf2 ? .pbkdf2 : .evpBytesToKey
            return ArtifactStream.Encryption(
                passphrase: try secret(named: encryption.key),
                cipher: OpenSSLEncCipher(iterations: iterations, digest: digest, derivation: derived))
        // Only pgbackrest itself opens it.
        case .pgBackRest: return nil
        case .cms: return try key(.cms, named: encryption.key)
        case .age: return try key(.age, named: encryption.key)
        case .gpg: return try key(.gpg, named: encryption.key)
        }
    }

    /// A key of a format that wants more than a passphrase: what is none is said here, and not as a damaged backup.
    private func key(_ format: ArtifactStream.Encryption.Format, named name: String) throws(DrillFailure) -> ArtifactStream.Encryption {
        let encryption = ArtifactStream.Encryption(format, key: try secret(named: name))
        do throws(CryptographyError) {
            try encryption.checkKey()
        } catch {
            throw .error(
                Finding(
                    .keyUnusable, object: "key \(name)", expected: "a key of format \(format.rawValue)", actual: "something else",
                    message: error.message, hint: error.hint))
        }
        return encryption
    }

    /// The secret behind a reference.
    ///
    /// - Parameters:
    ///   - name: For messages.
    ///   - hidden: Environment variables that a command doesn't get to see.
    public static func secret(
        _ reference: KeyReference, named name: String, hiding hidden: Set<String> = []
    ) throws(DrillFailure) -> Secret {
        var bytes: [UInt8]
        switch reference {
        case .file(let url):
            guard let data = try? Data(contentsOf: url) else {
                throw missing(name, "its file can't be read", hint: "check that \(url.path) is there and readable for this user")
            }
            bytes = Array(data)
        case .environment(let variable):
            guard let value = getenv(variable) else {
                throw missing(name, "the environment variable \(variable) is not set", hint: "set \(variable) before running muster")
            }
            bytes = Array(String(cString: value).utf8)
        case .command(let words):
            bytes = try output(of: words, name: name, hiding: hidden)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw .error(
                Finding(
                    .keyEmpty, object: "key \(name)", expected: "a secret", actual: "nothing", message: "the key is empty",
                    hint: "check where the estate says that it comes from"))
        }
        return Secret(bytes)
    }

    private static func output(of words: [String], name: String, hiding hidden: Set<String>) throws(DrillFailure) -> [UInt8] {
        let process = Process()
        let pipe = Pipe()
        process.environment = ProcessInfo.processInfo.environment.filter { !hidden.contains($0.key) }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw missing(name, "its command can't be started", hint: "run the command by hand")
        }
        // Ours of the two ends: the output ends when no process of the command's holds the other any more.
        try? pipe.fileHandleForWriting.close()
        let data = read(pipe.fileHandleForReading.fileDescriptor)
        guard let data else {
            // Foundation starts it as the leader of a process group: what the command started ends with it.
            kill(-process.processIdentifier, SIGKILL)
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            throw missing(name, "its command was stopped before it ended", hint: "run the command by hand, and see why it takes long")
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw missing(name, "its command ended with exit \(process.terminationStatus)", hint: "run the command by hand")
        }
        return data
    }

    /// All that comes; nil where the task was cancelled first: a command may wait for a person who has left.
    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !Task.isCancelled {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&wanted, 1, 100)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count > 0 {
                bytes += chunk[..<count]
            } else if count == 0 || errno != EINTR {
                return bytes
            }
        }
        return nil
    }

    private static func missing(_ name: String, _ why: String, hint: String) -> DrillFailure {
        .error(
            Finding(
                .keyMissing, object: "key \(name)", expected: "a secret", actual: why, message: "the key \(name) can't be had: \(why)",
                hint: hint))
    }
}
