// What a file is that the estate calls encrypted and whose first bytes don't say so: encrypted and then packed, noise, or disclosed.

import ArtifactFormats
import Cryptography
public import DrillModel
public import Foundation
import OutsideTools
public import ScratchHost

/// Found by taking off what is around it, inside the quarantine: only what is seen to be encrypted counts as such.
public enum EnclosedForm: Sendable, Hashable {
    /// All of it is, and something is around it.
    case encrypted(StoredContent.Enclosure)
    /// It begins so, and not all of it was looked at.
    case partly(StoredContent.Enclosure)
    /// Random bytes without the header of any format.
    case noise
    /// Anything else, in words.
    case plain(String)

    /// - Parameter folder: A private folder of the host's.
    /// - Throws: ``ScratchError``, ``CryptographyError``, `CancellationError`.
    public static func look(at file: URL, on host: ScratchHost, in folder: URL) async throws -> EnclosedForm {
        var current = file
        var layers: [Layer] = []
        var isWhole = true
        let unpacked = (0..<mostLayers).map { folder.appendingPathComponent("enclosed-\($0)") }
        defer { for file in unpacked { try? FileManager.default.removeItem(at: file) } }
        while layers.count < mostLayers {
            let head = try ArtifactStream.head(of: current, count: ArtifactFormat.bytesNeeded)
            let format = ArtifactFormat(head: head)
            if format.encryption != nil {
                guard !layers.isEmpty, !hasPlainBody(head, format) else { break }
                return .encrypted(enclosure(format, layers))
            }
            if let decompressor = Decompressor.of(format) {
                let target = unpacked[layers.count]
                let result = try await host.run(decompressor.beginning(mostUnpacked), input: current, output: target)
                let size = (try? FileManager.default.attributesOfItem(atPath: target.path)[.size] as? Int) ?? 0
                guard result.succeeded, size > 0 else { break }
                layers.append(Layer(words: format.rawValue, undo: "\(decompressor.program) -d"))
                isWhole = isWhole && size < mostUnpacked
                current = target
            } else if let inner = Base64Text.decoded(head) {
                // Text on which one more layer lies is nothing that anybody makes.
                let layer = Layer(words: "base64", undo: "base64 -d")
                let held = ArtifactFormat(head: inner)
                guard held.encryption != nil, !hasPlainBody(inner, held) else {
                    return held == .unknown ? .plain(words(format, layers)) : .plain("\(held.rawValue) as base64")
                }
                return .encrypted(enclosure(held, layers + [layer]))
            } else if format == .tar {
                return tar(current, isWhole: isWhole, layers)
            } else {
                guard layers.isEmpty, format == .unknown, isNoise(file, head) else { break }
                return .noise
            }
        }
        let head = try ArtifactStream.head(of: current, count: ArtifactFormat.bytesNeeded)
        return .plain(words(ArtifactFormat(head: head), layers))
    }

    private struct Layer {
        var words: String
        var undo: String
    }

    private static let mostLayers = 3
    private static let mostUnpacked = 16 << 20
    private static let mostMembers = 256

    private static func words(_ format: ArtifactFormat, _ layers: [Layer]) -> String {
        guard let outer = layers.first else { return format.rawValue }
        return format == .unknown ? outer.words : "\(outer.words) with \(format.rawValue) in it"
    }

    private static func enclosure(_ format: ArtifactFormat, _ layers: [Layer]) -> StoredContent.Enclosure {
        StoredContent.Enclosure(
            words: ([format.rawValue] + layers.reversed().map(\.words)).joined(separator: " inside "),
            undo: layers.map(\.undo).joined(separator: ", then "))
    }

    /// Of each file in it the first bytes: a single one that isn't encrypted is disclosed.
    private static func tar(_ file: URL, isWhole: Bool, _ layers: [Layer]) -> EnclosedForm {
        guard let handle = try? FileHandle(forReadingFrom: file) else { return .plain(ArtifactFormat.tar.rawValue) }
        defer { try? handle.close() }
        func read(_ offset: Int64, _ count: Int) -> [UInt8] {
            guard (try? handle.seek(toOffset: UInt64(offset))) != nil else { return [] }
            return (try? handle.read(upToCount: count)).map { Array($0) } ?? []
        }
        let words = words(.tar, layers)
        guard let tar = TarMembers(limit: mostMembers, read: read) else { return .plain(words) }
        var encryption: ArtifactFormat?
        for member in tar.members where member.isFile && member.size > 0 {
            let head = read(member.offset, Int(min(member.size, Int64(ArtifactFormat.bytesNeeded))))
            let format = ArtifactFormat(head: head)
            // Cut off by how much was unpacked.
            if head.isEmpty { continue }
            guard format.encryption != nil, !hasPlainBody(head, format) else {
                return .plain("\(words), and \(format.rawValue) among its files")
            }
            encryption = encryption ?? format
        }
        guard let encryption else { return .plain(words) }
        let enclosure = enclosure(encryption, layers + [Layer(words: ArtifactFormat.tar.rawValue, undo: "tar -x")])
        return tar.isWhole ? .encrypted(enclosure) : .partly(enclosure)
    }

    /// A header that somebody put in front of a dump encrypts nothing.
    private static func hasPlainBody(_ head: [UInt8], _ format: ArtifactFormat) -> Bool {
        guard format == .opensslEncrypted else { return false }
        let body = Array(head.dropFirst(OpenSSLEncCipher.headerSize))
        return ArtifactFormat(head: body) != .unknown || body.count >= 128 && !Randomness.isNoise(body)
    }

    /// A file may begin with noise and go on in plain text: its middle is looked at, too.
    private static func isNoise(_ file: URL, _ head: [UInt8]) -> Bool {
        guard Randomness.isNoise(head) else { return false }
        guard let handle = try? FileHandle(forReadingFrom: file), let size = try? handle.seekToEnd() else { return false }
        defer { try? handle.close() }
        guard size > UInt64(4 * ArtifactFormat.bytesNeeded) else { return true }
        guard (try? handle.seek(toOffset: size / 2)) != nil, let middle = try? handle.read(upToCount: ArtifactFormat.bytesNeeded) else {
            return false
        }
        return Randomness.isNoise(Array(middle))
    }
}

extension EnclosedForm {
    /// What it means for an artifact that is declared to be encrypted; nil where nothing but its being in plain text is known.
    func failure(of name: String, declared: ArtifactStream.Encryption.Format) -> DrillFailure? {
        switch self {
        case .encrypted(let enclosure):
            .error(.enclosed(enclosure, object: name, expected: declared.words))
        case .partly(let enclosure):
            .failed(
                Finding(
                    .artifactNotEncrypted, object: name, expected: declared.words, actual: "\(enclosure.words), not all of it looked at",
                    message: "the stored file begins with an encrypted one, and has more in it",
                    hint:
                        "list it with tar -t: what is not encrypted in it is disclosed; have the backup job store the encrypted file itself"
                ))
        case .noise: .failed(.headerless(object: name, format: declared.rawValue, expected: declared.words))
        case .plain: nil
        }
    }
}
