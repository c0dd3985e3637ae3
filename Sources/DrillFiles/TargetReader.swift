// How far a base backup is to be rolled forward.

import DrillModel
import Foundation
import Yams

/// Reads `to`, `inclusive` and `timeline` of one recovery.
struct TargetReader {
    let file: SourceFile
    let recovery: Fields
    let now: Date

    /// nil where none of the three is there.
    func read() -> RecoveryTarget? {
        guard ["to", "inclusive", "timeline"].contains(where: { recovery[$0] != nil }) else { return nil }
        let goal = recovery["to"].map(goal) ?? .end
        if goal == .end, recovery["inclusive"] != nil {
            recovery.report("inclusive", "\"inclusive\" means nothing without a target", hint: "remove it, or name a target with \"to\"")
        }
        if case .name = goal, recovery["inclusive"] != nil {
            recovery.report(
                "inclusive", "\"inclusive\" means nothing for a restore point", hint: "remove it: a restore point holds no data")
        }
        return RecoveryTarget(goal, inclusive: recovery.flag("inclusive") ?? true, timeline: timeline())
    }

    /// What can't be read is told, and then the end as good as anything.
    private func goal(_ entry: Entry) -> RecoveryTarget.Goal {
        if case .scalar(let scalar) = entry.node {
            if !file.refusesTag(of: entry.node), scalar.string == "sealed-moment" { return moment() }
            if !file.refusesTag(of: entry.node), scalar.string != "end" {
                recovery.report(
                    "to", "\"to\" must be \"end\", \"sealed-moment\" or a mapping",
                    hint: "write \"to: {time: 2026-03-01T02:00:00+05:30}\", lsn, name or xid")
            }
            return .end
        }
        guard let fields = Fields(file, entry.node, .to, title: "\"to\" of \(recovery.title)", place: entry.place) else { return .end }
        guard fields.stated.count == 1 else {
            file.report(at: entry.place, "\"to\" must name one target", hint: "keep one of time, lsn, name and xid")
            return .end
        }
        if let text = fields.text("time") { return time(text, fields) }
        if let text = fields.text("lsn") {
            if let lsn = RecoveryTarget.lsn(text) { return .lsn(lsn) }
            fields.report(
                "lsn", "\"lsn\" is not a position in the write-ahead log", hint: "write it as pg_current_wal_lsn() does: 0/16B3748")
        }
        if let text = fields.text("name") {
            if text.utf8.count < 64, !text.contains(where: \.isNewline) { return .name(text) }
            fields.report("name", "\"name\" is no name of a restore point", hint: "a restore point has up to 63 bytes")
        }
        if let number = fields.whole("xid", in: 3...Int(UInt32.max)) { return .xid(UInt64(number)) }
        return .end
    }

    /// The moment's seal says of which timeline it is, and what comes before it.
    private func moment() -> RecoveryTarget.Goal {
        for key in ["inclusive", "timeline"] where recovery[key] != nil {
            recovery.report(key, "\"\(key)\" means nothing for a sealed moment", hint: "remove it: the seal says which one it is")
        }
        return .moment
    }

    private func time(_ text: String, _ fields: Fields) -> RecoveryTarget.Goal {
        do throws(InstantText.Failure) {
            let date = try InstantText.parse(text)
            if date > now.addingTimeInterval(60) {
                fields.report("time", "the target lies in the future", hint: "write an instant that has passed; check its zone")
            }
            return .time(date)
        } catch {
            let zone = error == .noZone
            fields.report(
                "time", zone ? "\"time\" has no time zone" : "\"time\" is not an instant",
                hint: zone
                    ? "add Z for UTC, or an offset such as +05:30" : "write an instant with its zone such as 2026-03-01T02:00:00+05:30")
            return .end
        }
    }

    private func timeline() -> RecoveryTarget.Timeline {
        guard let text = recovery.text("timeline") else { return .latest }
        switch text {
        case "latest": return .latest
        case "current": return .current
        default:
            if let number = UInt32(text), number > 0, text.allSatisfy(\.isNumber) { return .number(number) }
            recovery.report("timeline", "unknown timeline \(shown(text))", hint: "write latest, current, or its number")
            return .latest
        }
    }
}
