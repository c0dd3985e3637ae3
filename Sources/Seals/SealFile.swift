// Seals on disk: one signed file beside each artifact.

public import Cryptography
public import DrillModel
public import Foundation

/// Writes and reads `<artifact>.seal.json`. docs/seals.md describes the file.
public enum SealFile {
    static let suffix = ".seal.json"
    /// A seal of a hundred thousand objects has some tens of megabytes; what is larger is none.
    static let largest = 512 * 1024 * 1024

    /// Where the seal of an artifact lies.
    public static func location(besides artifact: URL) -> URL {
        artifact.deletingLastPathComponent().appending(path: artifact.lastPathComponent + suffix)
    }

    /// Whether a name is that of a seal rather than of an artifact.
    public static func isSeal(_ name: String) -> Bool {
        name.hasSuffix(suffix)
    }

    /// Signs and writes the seal of an artifact, readable by all. It replaces an older one in one go. That of a moment is a file by itself.
    @discardableResult
    public static func write(
        _ seal: Seal, besides artifact: URL, signedBy key: Ed25519PrivateKey
    ) throws(SealError) -> URL {
        guard seal.artifact.name == artifact.lastPathComponent else {
            throw SealError(
                .cannotEncode, message: "the seal is of \(seal.artifact.name), not of \(artifact.lastPathComponent)",
                hint: "this is a mistake in muster: please report it")
        }
        let bytes: Data
        do {
            let envelope = try Envelope(signing: SealCoding.encode(seal), type: Envelope.sealType, with: key)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            bytes = try encoder.encode(envelope) + Data("\n".utf8)
        } catch let error as CryptographyError {
            throw SealError(error)
        } catch {
            throw SealError(
                .cannotEncode, message: "the seal cannot be written as JSON", hint: "this is a mistake in muster: please report it")
        }
        let target = seal.moment == nil ? location(besides: artifact) : artifact
        try AtomicFile.write(bytes, to: target, mode: 0o644, isNew: seal.moment != nil)
        return target
    }

    /// What is known of an artifact's seal. It is decoded only once a trusted key vouches for every byte of it.
    ///
    /// The artifact itself is not read: that its size and digest are the seal's is for the retrieving step to see.
    public static func read(besides artifact: URL, trusted: [Ed25519PublicKey]) -> RecoveryPoint.SealState {
        read(location(besides: artifact), of: artifact.lastPathComponent, trusted: trusted)
    }

    /// What is known of a sealed moment.
    public static func read(moment file: URL, trusted: [Ed25519PublicKey]) -> RecoveryPoint.SealState {
        read(file, of: file.lastPathComponent, trusted: trusted)
    }

    /// - Parameter artifact: The name that the seal must bear; of a moment, its own.
    private static func read(_ file: URL, of artifact: String, trusted: [Ed25519PublicKey]) -> RecoveryPoint.SealState {
        let name = file.lastPathComponent
        let bytes: Data
        switch SealBytes.read(file, atMost: largest) {
        case .missing: return .missing
        case .failed(let reason): return .broken(.sealUnreadable(name, reason))
        case .bytes(let read): bytes = read
        }
        guard let envelope = try? JSONDecoder().decode(Envelope.self, from: bytes), envelope.payloadType == Envelope.sealType else {
            return .broken(.sealUnreadable(name, "it is no signed envelope of a seal"))
        }
        switch envelope.open(trusted: trusted) {
        case .unreadable: return .broken(.sealUnreadable(name, "its payload or a signature is not base64, or there is no signature"))
        case .forged: return .broken(.sealSignatureInvalid(name))
        case .untrusted(let keys): return .broken(.sealUntrusted(name, keys, trusted: trusted.map(\.keyID)))
        case .vouched(let payload): return judge(payload, name: name, artifact: artifact)
        }
    }

    private static func judge(_ payload: Data, name: String, artifact: String) -> RecoveryPoint.SealState {
        guard let version = SealCoding.version(of: payload) else {
            return .broken(.sealUnreadable(name, "its payload is no seal"))
        }
        guard [Seal.currentVersion, Seal.clusterVersion, Seal.momentVersion].contains(version) else {
            return .broken(.sealVersionUnknown(name, version))
        }
        guard let seal = SealCoding.decode(payload), (seal.cluster != nil) == (version == Seal.clusterVersion),
            (seal.moment != nil) == (version == Seal.momentVersion)
        else {
            return .broken(.sealUnreadable(name, "its payload is no seal of version \(version)"))
        }
        // A moment's own file is what it is named after.
        guard (seal.moment != nil) == (artifact == name) else { return .broken(.sealOfOtherUse(name, isMoment: seal.moment != nil)) }
        guard seal.artifact.name == artifact else {
            return .broken(.sealNamesOtherArtifact(name, expected: artifact, actual: seal.artifact.name))
        }
        return .valid(seal)
    }
}

enum SealBytes {
    case missing
    case failed(String)
    case bytes(Data)

    static func read(_ file: URL, atMost limit: Int) -> SealBytes {
        var status = stat()
        guard stat(file.path, &status) == 0 else {
            let code = errno
            // Beside a name that leaves no room for the seal's ending there can be none.
            return [ENOENT, ENAMETOOLONG].contains(code) ? .missing : .failed(String(cString: strerror(code)).lowercased())
        }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failed("it is no file") }
        guard status.st_size <= limit else { return .failed("it is larger than any seal") }
        do {
            return .bytes(try Data(contentsOf: file))
        } catch {
            return .failed("it cannot be read")
        }
    }
}
