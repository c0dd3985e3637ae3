// Who is told, as the estate file says it.

import DrillModel
import Foundation
import Testing

@testable import DrillFiles

@Suite struct NotifyFilesTests {
    static let all = """
        notify:
          oncall: {webhook: {url: {env: HOOK}, format: slack, token: {file: keys/token}}, on: [red]}
          plain: {webhook: {url: {command: [pass, show, hook]}}}
          dba: {mail: {to: [dba@example.com, "o'hara+dr@mail.example"], from: muster@localhost, sendmail: bin/sendmail}}
          pager: {command: [./page, --service, dr], on: [overdue, recovery]}
        """

    private func read(_ text: String) throws -> [NotifyChannel] {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Good.estate.replacing("\nby-hand:", with: "\n\(text)\nby-hand:"))
        return try DrillFiles.loadEstate(fixture.folder.appendingPathComponent("estate.yaml").path).notify
    }

    @Test func everyWayIsRead() throws {
        let channels = try read(Self.all)
        #expect(channels.map(\.name) == ["dba", "oncall", "pager", "plain"])
        let folder = channels[0].folder
        #expect(
            channels[0].way
                == .mail(
                    NotifyChannel.Mail(
                        to: ["dba@example.com", "o'hara+dr@mail.example"], from: "muster@localhost",
                        sendmail: folder.appendingPathComponent("bin/sendmail").path)))
        #expect(
            channels[1].way
                == .webhook(
                    NotifyChannel.Webhook(
                        url: .environment("HOOK"), format: .slack, token: .file(folder.appendingPathComponent("keys/token")))))
        #expect(channels[1].occasions == [.red] && channels[2].occasions == [.overdue, .recovery])
        #expect(channels[2].program.path == folder.appendingPathComponent("page").path)
        #expect(channels[3].way == .webhook(NotifyChannel.Webhook(url: .command(["pass", "show", "hook"]), format: .json, token: nil)))
        #expect(channels[3].occasions == Set(NotifyChannel.Occasion.allCases) && channels[3].secrets.count == 1)
    }

    /// What anybody may read names neither an address nor a command's arguments.
    @Test func aSummaryTellsNoSecret() throws {
        #expect(
            try read(Self.all).map(\.summary) == [
                "dba (mail to dba@example.com, o'hara+dr@mail.example)", "oncall (webhook, slack)", "pager (command ./page)",
                "plain (webhook, json)",
            ])
    }

    @Test func nobodyIsTheDefault() throws {
        #expect(try read("").isEmpty)
    }
}
