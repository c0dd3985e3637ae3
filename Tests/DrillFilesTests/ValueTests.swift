// Durations, instants, table names and near words, one by one.

import Foundation
import Testing

@testable import DrillFiles

@Suite struct ValueTests {
    @Test(arguments: [("4h", 14_400), ("90m", 5_400), ("1h30m", 5_400), ("2d", 172_800), ("15s", 15), ("1d2h3m4s", 93_784), ("0h5m", 300)])
    func goodDurations(text: String, seconds: Int) throws {
        #expect(try DurationText.parse(text) == .seconds(seconds))
    }

    @Test(arguments: [
        ("4", DurationText.Failure.noUnit), ("1.5", .noUnit), ("0", .noUnit), ("-4h", .notPositive), ("-4", .notPositive),
        ("0s", .notPositive), ("0h0m", .notPositive), ("", .malformed), ("h", .malformed), ("4 h", .malformed), ("4H", .malformed),
        ("30m1h", .malformed), ("1h1h", .malformed), ("1h30", .malformed), ("1.5h", .malformed), ("4w", .malformed), ("٤h", .malformed),
        ("-x", .malformed), ("99999999999999999999h", .tooLong), ("9999d", .tooLong),
    ])
    func badDurations(text: String, failure: DurationText.Failure) {
        #expect(throws: failure) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        ("2026-03-01T02:00:00+05:30", 1_772_310_600.0), ("2026-02-28T20:30:00Z", 1_772_310_600), ("2026-02-28 20:30Z", 1_772_310_600),
        ("2026-02-28T20:30:00.25z", 1_772_310_600.25), ("2026-02-28T15:30:00 -0500", 1_772_310_600), ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T00:00:00Z", 1_709_164_800), ("1969-12-31T23:59:59Z", -1),
        // As PostgreSQL prints it.
        ("2026-02-28 20:30:00+00", 1_772_310_600), ("2026-03-01 02:00:00.123456+05:30", 1_772_310_600.123456),
        ("2026-02-28 15:30:00-05", 1_772_310_600), ("2026-02-28T15:30-05", 1_772_310_600),
    ])
    func goodInstants(text: String, seconds: Double) throws {
        #expect(try InstantText.parse(text) == Date(timeIntervalSince1970: seconds))
    }

    @Test(arguments: [
        ("2026-03-01T02:00:00", InstantText.Failure.noZone), ("2026-03-01 02:00", .noZone), ("2026-03-01 02:00:00.123456", .noZone),
        ("2026-03-01", .noTime),
        ("yesterday", .malformed),
        ("01.03.2026", .malformed), ("2026-02-29T00:00:00Z", .impossible), ("2026-13-01T00:00:00Z", .impossible),
        ("2026-04-31T00:00:00Z", .impossible), ("2026-03-01T24:00:00Z", .impossible), ("2026-03-01T00:60:00Z", .impossible),
        ("2026-03-01T00:00:60Z", .impossible), ("2026-03-01T00:00:00+15:00", .impossible), ("2026-03-00T00:00:00Z", .impossible),
        ("2026-03-01T00:00:00 IST", .malformed), ("2026-03-01 00:00:00+0", .malformed), ("2026-03-01 00:00:00+053", .malformed),
        ("2026-03-01 00:00:00+15", .impossible), ("1900-02-29T00:00:00Z", .impossible),
    ])
    func badInstants(text: String, failure: InstantText.Failure) {
        #expect(throws: failure) { try InstantText.parse(text) }
    }

    /// Against Foundation's own calendar, over the leap rules.
    @Test func instantsAgreeWithFoundation() throws {
        let formatter = ISO8601DateFormatter()
        for day in stride(from: -30_000, through: 60_000, by: 97) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400 + 3_661)
            #expect(try InstantText.parse(formatter.string(from: date)) == date)
        }
    }

    @Test func tableNames() {
        #expect(TableName.parts("public.domains") == ["public", "domains"])
        #expect(TableName.parts("Domains") == ["domains"])
        #expect(TableName.parts("\"Odd Name\".\"a.\"\"b\"") == ["Odd Name", "a.\"b"])
        #expect(TableName.parts("größe.t$1") == ["größe", "t$1"])
        for bad in ["", ".", "a.", ".a", "a.b.c", "\"a", "\"\"", "a b", "a;", "1a", "a-b", "a.\"b\"c", "public.domains where true"] {
            #expect(TableName.parts(bad) == nil, "\(bad)")
        }
    }

    @Test func nearWords() {
        #expect(NearestWord.find("targts", among: ["targets", "recover"]) == "targets")
        #expect(NearestWord.find("at_least", among: ["at-least", "at-most"]) == "at-least")
        #expect(NearestWord.find("Postgres", among: ["postgres", "redis"]) == "postgres")
        #expect(NearestWord.find("rtp", among: ["rto"]) == "rto")
        #expect(NearestWord.find("colour", among: ["type", "path", "zone"]) == nil)
        #expect(NearestWord.distance(Array("abcd"), Array("abdc")) == 1, "a swap of neighbours is one mistake")
        #expect(NearestWord.distance(Array("kitten"), Array("sitting")) == 3)
        #expect(NearestWord.distance([], Array("abc")) == 3)
        #expect(NearestWord.hint(for: "x", among: ["b", "a"], called: "keys") == "known keys: a, b")
    }
}
