// Moments and spans as the machine-readable reports write them.

import Foundation

/// A moment, written as ISO 8601 in UTC with milliseconds: `2026-03-14T02:30:00.250Z`.
struct Timestamp: Hashable, Codable, Sendable {
    var date: Date

    init(_ date: Date) {
        self.date = date
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let date = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an ISO 8601 time with milliseconds")
        }
        self.date = date
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Timestamp.iso(date))
    }

    /// The milliseconds are rounded before the text is made: a formatter that cuts them off shows .249 for .250.
    static func iso(_ date: Date, fraction: Bool = true) -> String {
        let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
        let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
        let text = Date(timeIntervalSince1970: Double(seconds)).formatted(Date.ISO8601FormatStyle())
        return fraction ? "\(text.dropLast()).\(Readable.digits(milliseconds - seconds * 1000, 3))Z" : text
    }
}

/// A span, written as a number of seconds with three decimals at most.
struct Seconds: Hashable, Codable, Sendable {
    var milliseconds: Int64

    init(_ duration: Duration) {
        milliseconds = Readable.milliseconds(of: duration)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let seconds = try container.decode(Double.self)
        // A damaged report may hold any number; no span is of a thousand years.
        guard abs(seconds) < 3.2e10 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no number of seconds")
        }
        milliseconds = Int64((seconds * 1000).rounded())
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        // The quotient is the double nearest to the decimal number, and its shortest form is that number.
        try container.encode(Double(milliseconds) / 1000)
    }

    var duration: Duration { .milliseconds(milliseconds) }

    /// `12.345`: always with three decimals and a point, whatever the locale.
    var text: String {
        let magnitude = milliseconds.magnitude
        return "\(milliseconds < 0 ? "-" : "")\(magnitude / 1000).\(Readable.digits(Int64(magnitude % 1000), 3))"
    }
}
