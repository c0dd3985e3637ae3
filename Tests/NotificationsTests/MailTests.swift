// A mail before a stranger: Python's own reader of mail.

import DrillModel
import Foundation
import Testing

@testable import Notifications

@Suite struct MailTests {
    private static let mail = NotifyChannel.Mail(
        to: ["dba@example.com", "ops@example.com"], from: "muster@example.com", sendmail: "sendmail")

    private struct Read: Decodable {
        var headers: [String]
        var subject: String
        var to: [String]
        var body: String
        var defects: [String]
        var longest: Int
        var ascii: Bool
    }

    private static let script = """
        import sys, json, email, email.policy
        raw = sys.stdin.buffer.read()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        print(json.dumps({"headers": message.keys(), "subject": message["subject"],
            "to": [address.addr_spec for address in message["to"].addresses], "body": message.get_content(),
            "defects": [str(d) for d in list(message.defects) + [d for v in message.values() for d in v.defects]],
            "longest": max(len(line) for line in raw.split(b"\\n")), "ascii": raw.isascii()}))
        """

    private func read(_ text: String) throws -> Read {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Read.self, from: data)
    }

    @Test(arguments: [
        "nightly", "nächtlich 😀 \(String(repeating: "ü", count: 150))", "x\nBcc: all@example.com\r\n\r\nbody", "=?UTF-8?B?eA==?=",
        String(repeating: "long ", count: 300), ".", "From me", "a = b  ", "tab\tand\u{0}nul",
    ])
    func isReadAsItWasMeant(name: String) throws {
        var notice = Notice.test(of: Fixtures.estate(name), host: name, version: "1")
        notice.problem = name
        let mail = MailMessage(notice, mail: Self.mail, date: Fixtures.start, id: "run-1.A")
        let read = try read(mail.text)
        #expect(read.defects == [] && read.ascii && read.longest <= 78, "\(mail.text)")
        #expect(
            read.headers == [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding",
            ])
        #expect(read.to == Self.mail.to)
        let limited = notice.limited(to: NoticeLimits.ladder[0])
        #expect(read.subject == Notice.cut(NoticeText(limited).title, to: 200))
        #expect(read.body == NoticeText(limited).plain)
        #expect(mail.text.contains("\nDate: Sat, 14 Mar 2026 02:30:00 +0000\nMessage-ID: <muster.run-1.A@example.com>\n"))
    }
}
