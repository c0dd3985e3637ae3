// A notice as a mail: its headers, of which no text can make another, and its body in plain text.

import DrillModel
import Foundation

/// A message as RFC 5322 and the MIME standards have it, in ASCII, with line feeds alone as sendmail takes them.
struct MailMessage: Sendable {
    var text: String

    /// - Parameters:
    ///   - date: When it is written.
    ///   - id: Unique, of letters and digits.
    init(_ notice: Notice, mail: NotifyChannel.Mail, date: Date, id: String) {
        let content = notice.fitting({ $0.plain.utf8.count <= 50_000 }) { NoticeText($0) }
        let headers = [
            ("From", mail.from), ("To", mail.to.joined(separator: ",\n ")), ("Subject", Self.encoded(Notice.cut(content.title, to: 200))),
            ("Date", Self.date(date)), ("Message-ID", "<muster.\(id)@\(mail.from.drop { $0 != "@" }.dropFirst())>"),
            // No answer comes from an absent reader's mailbox (RFC 3834).
            ("Auto-Submitted", "auto-generated"), ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "quoted-printable"),
        ]
        text = headers.map { "\($0.0): \($0.1)\n" }.joined() + "\n" + Self.quotedPrintable(content.plain)
    }

    /// `Mon, 30 Nov 2026 11:45:00 +0000`
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: date)
    }

    /// Encoded words of RFC 2047, each of 75 characters at most; ASCII stays as it is.
    static func encoded(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.contains("=?"), text.count <= 60 { return text }
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // 45 bytes are 60 characters, and the first line has the header's name; a scalar is never parted.
            if words[words.count - 1].count + bytes.count > (words.count == 1 ? 39 : 45) { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?UTF-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\n ")
    }

    /// Lines of 76 characters at most (RFC 2045). A dot and the word From at a line's beginning are encoded, as is a blank at its end.
    static func quotedPrintable(_ text: String) -> String {
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var current = ""
            let bytes = Array(line.utf8)
            for (index, byte) in bytes.enumerated() {
                let isLast = index == bytes.count - 1
                let isStart = current.isEmpty && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F"))
                let isBlank = byte == 0x20 || byte == 0x09
                let isPlain = (isBlank && !isLast) || (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") && !isStart
                let piece = isPlain ? String(UnicodeScalar(byte)) : "=" + hex(byte)
                if current.utf8.count + piece.utf8.count > (isLast ? 76 : 75) {
                    lines.append(current + "=")
                    current = ""
                }
                current += piece
            }
            lines.append(current)
        }
        return lines.joined(separator: "\n")
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
    }
}
