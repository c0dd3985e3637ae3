// The first bytes of the encrypted formats beside `openssl enc`: CMS, age and OpenPGP.

import Foundation

/// Tells encrypted formats by their first bytes.
enum EncryptedHeader {
    /// What stands behind the outer SEQUENCE of a CMS file: the object identifier of its content's type.
    private static let enveloped: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03]
    private static let authEnveloped: [UInt8] = [0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17]

    /// nil where it is none of them.
    static func format(of head: [UInt8]) -> ArtifactFormat? {
        if let binary = cms(head) { return binary }
        func starts(_ text: String) -> Bool { head.starts(with: Array(text.utf8)) }
        if starts("age-encryption.org/v1") || starts("-----BEGIN AGE ENCRYPTED FILE-----") { return .age }
        // The same words open what is only signed or compressed: what they hold decides, as far as it can be seen.
        if starts("-----BEGIN PGP MESSAGE-----") { return decoded(head).map(isPGP) ?? true ? .gpg : nil }
        if isPGP(head) { return .gpg }
        if starts("-----BEGIN CMS-----") || starts("-----BEGIN PKCS7-----") || isMail(head) {
            return decoded(head).map { cms($0) != nil } ?? true ? .cmsText : nil
        }
        return nil
    }

    private static func cms(_ head: [UInt8]) -> ArtifactFormat? {
        guard let body = cmsBody(head) else { return nil }
        if body.starts(with: enveloped) { return .cmsEnveloped }
        return body.starts(with: authEnveloped) ? .cmsAuthenticated : nil
    }

    /// What the first whole line of base64 holds, behind the lines of an armor or a mail; nil where there is none.
    private static func decoded(_ head: [UInt8]) -> [UInt8]? {
        // What follows the last line break may be a piece of a line.
        let lines = head.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
        for line in lines {
            let text = line.last == 0x0d ? line.dropLast() : line
            guard text.count >= 40, text.count % 4 == 0, !text.contains(0x3a), let bytes = Data(base64Encoded: Data(text)) else { continue }
            return Array(bytes)
        }
        return nil
    }

    /// Behind the tag and the length, of whatever form, of the outer SEQUENCE.
    private static func cmsBody(_ head: [UInt8]) -> ArraySlice<UInt8>? {
        guard head.count > 2, head[0] == 0x30 else { return nil }
        let long = head[1] > 0x80 ? Int(head[1] & 0x7f) : 0
        return long <= 8 ? head.dropFirst(2 + long) : nil
    }

    private static func isMail(_ head: [UInt8]) -> Bool {
        let text = String(decoding: head.prefix(512), as: UTF8.self).lowercased()
        return text.hasPrefix("mime-version:") && text.contains("pkcs7-mime")
    }

    /// A message for a key or a passphrase opens with a packet that says how its session key is had.
    private static func isPGP(_ head: [UInt8]) -> Bool {
        guard let first = head.first, first & 0x80 != 0 else { return false }
        let tag: UInt8
        let lengthBytes: Int
        if first & 0x40 != 0 {
            tag = first & 0x3f
            guard head.count > 1, head[1] < 224 || head[1] == 255 else { return false }
            lengthBytes = head[1] < 192 ? 1 : head[1] == 255 ? 5 : 2
        } else {
            tag = first >> 2 & 0x0f
            guard first & 3 < 3 else { return false }
            lengthBytes = 1 << Int(first & 3)
        }
        let body = Array(head.dropFirst(1 + lengthBytes).prefix(10))
        guard body.count == 10 else { return false }
        switch tag {
        // For a public key: version 3, eight bytes of its ID, and its algorithm; or version 6.
        case 1: return body[0] == 6 || body[0] == 3 && [1, 2, 16, 18, 25, 26].contains(body[9])
        // For a passphrase: version, cipher, and the way from one to the other.
        case 3: return [4, 5, 6].contains(body[0]) && (body[0] != 4 || (1...13).contains(body[1]) && [0, 1, 3, 4].contains(body[2]))
        default: return false
        }
    }
}
