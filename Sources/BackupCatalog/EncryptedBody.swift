// The bytes of an encrypted file that should look random: behind its header, and out of its armor.

import ArtifactFormats
import Cryptography
import Foundation

/// Samples of encrypted files.
enum EncryptedBody {
    /// What of the first bytes lies behind the header; all of them where the header can't be told from the rest.
    static func sample(of head: [UInt8], _ format: ArtifactFormat) -> [UInt8] {
        switch format {
        case .opensslEncrypted: return Array(head.dropFirst(OpenSSLEncCipher.headerSize))
        case .opensslBase64: return Array((Base64Text.decoded(head) ?? head).dropFirst(OpenSSLEncCipher.headerSize))
        case .cmsEnveloped, .cmsAuthenticated:
            // With many recipients the content begins further back, and this is all the noise of their keys.
            return Array(head.dropFirst(CMSEnvelope.contentStart(in: head) ?? 0))
        case .age:
            if isArmored(head) { return decoded(head, like: head) }
            // The header's last line is `--- ` and its own code.
            guard let mark = head.firstRange(of: Array("\n--- ".utf8)), let end = head[mark.upperBound...].firstIndex(of: 0x0a) else {
                return head
            }
            return Array(head[(end + 1)...])
        default: return decoded(head, like: head)
        }
    }

    /// Text of base64 lines as bytes, where the file is of that kind; anything else as it is.
    ///
    /// - Parameter head: The first bytes of the file.
    static func decoded(_ bytes: [UInt8], like head: [UInt8]) -> [UInt8] {
        if ArtifactFormat(head: head) == .opensslBase64 { return Base64Text.decoded(bytes) ?? bytes }
        guard isArmored(head) else { return bytes }
        // A piece of a file begins and ends within a line.
        let lines = bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).filter { $0.count >= 48 && $0.count % 4 == 0 }
        let plain = lines.flatMap { line in Data(base64Encoded: Data(line)).map { Array($0) } ?? [] }
        return plain.isEmpty ? bytes : plain
    }

    private static func isArmored(_ head: [UInt8]) -> Bool {
        [.age, .gpg, .cmsText].contains(ArtifactFormat(head: head)) && (head.starts(with: Array("-----BEGIN".utf8)) || head.first == 0x4d)
    }
}
