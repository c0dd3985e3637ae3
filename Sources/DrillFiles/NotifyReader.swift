// Who is told how a run ended: the channels of an estate file.

import DrillModel
import Foundation

/// Reads `notify`. No message repeats what stands in the place of a secret.
struct NotifyReader {
    private enum Kind: String, CaseIterable { case webhook, mail, command }

    let file: SourceFile

    func read(_ parent: Fields) -> [NotifyChannel] {
        guard parent["notify"] != nil else { return [] }
        return (parent.named("notify", what: "channel") ?? []).compactMap(channel).sorted { $0.name < $1.name }
    }

    private func channel(_ entry: Entry) -> NotifyChannel? {
        let title = "channel \"\(entry.name)\""
        guard let fields = Fields(file, entry.node, .channel, title: title, place: entry.place) else { return nil }
        let occasions = occasions(fields)
        let kinds = Kind.allCases.filter { fields.stated.contains($0.rawValue) }
        guard kinds.count == 1 else {
            file.report(
                at: entry.place, kinds.isEmpty ? "\(title) says no way" : "\(title) says more than one way",
                hint:
                    "write one of webhook: {url: …}, mail: {to: […], from: …} and command: [program, argument]; a second way is a channel "
                    + "of its own")
            return nil
        }
        let way: NotifyChannel.Way? =
            switch kinds[0] {
            case .webhook: fields["webhook"].flatMap { webhook($0, title) }.map { .webhook($0) }
            case .mail: fields["mail"].flatMap { mail($0, title) }.map { .mail($0) }
            case .command: fields.texts("command").map { .command($0.map(\.text)) }
            }
        guard let way, let occasions else { return nil }
        return NotifyChannel(name: entry.name, way: way, occasions: occasions, folder: file.url.deletingLastPathComponent())
    }

    /// All of them where the key isn't there.
    private func occasions(_ fields: Fields) -> Set<NotifyChannel.Occasion>? {
        guard fields.stated.contains("on") else { return Set(NotifyChannel.Occasion.allCases) }
        guard let texts = fields.texts("on") else { return nil }
        let known = NotifyChannel.Occasion.allCases.map(\.rawValue)
        let found = texts.compactMap { word -> NotifyChannel.Occasion? in
            if let occasion = NotifyChannel.Occasion(rawValue: word.text) { return occasion }
            file.report(
                at: word.place, "unknown occasion \(shown(word.text))",
                hint: NearestWord.hint(for: word.text, among: known, called: "occasions"))
            return nil
        }
        return found.count == texts.count ? Set(found) : nil
    }

    private func webhook(_ entry: Entry, _ title: String) -> NotifyChannel.Webhook? {
        guard let fields = Fields(file, entry.node, .webhook, title: "the webhook of \(title)", place: entry.place) else { return nil }
        let format = fields["format"] == nil ? .json : fields.choice("format", NotifyChannel.Format.self)
        let url = secret("url", fields)
        let token = secret("token", fields)
        guard let url, let format, token != nil || fields["token"] == nil else { return nil }
        return NotifyChannel.Webhook(url: url, format: format, token: token)
    }

    private func secret(_ key: String, _ fields: Fields) -> KeyReference? {
        fields[key].flatMap { Secrets.read(file, $0.node, title: "\"\(key)\"", place: $0.place) }
    }

    private func mail(_ entry: Entry, _ title: String) -> NotifyChannel.Mail? {
        guard let fields = Fields(file, entry.node, .mail, title: "the mail of \(title)", place: entry.place) else { return nil }
        let to = fields.texts("to").map { $0.compactMap { address($0.text, at: $0.place) } }
        let from = fields.text("from").flatMap { address($0, at: fields.place(of: "from")) }
        let sendmail = fields["sendmail"] == nil ? Self.sendmail : fields.path("sendmail")?.path
        guard let to, !to.isEmpty, let from, let sendmail else { return nil }
        return NotifyChannel.Mail(to: to, from: from, sendmail: sendmail)
    }

    /// Where Postfix, Exim, OpenSMTPD, msmtp-mta and dma have it.
    private static let sendmail = "/usr/sbin/sendmail"

    /// An address becomes a word of a command line and a line of a header: letters, digits and a few signs, and no name beside it.
    private func address(_ text: String, at place: Place?) -> String? {
        let local = /[A-Za-z0-9_][A-Za-z0-9._+=\/'-]{0,63}/
        let domain = /[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*/
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0].wholeMatch(of: local) != nil, parts[1].wholeMatch(of: domain) != nil, text.utf8.count <= 254 {
            return text
        }
        file.report(
            at: place, "\(shown(text)) is no mail address",
            hint: "write the address alone, such as dba@example.com, without a name beside it")
        return nil
    }
}
