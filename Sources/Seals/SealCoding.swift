// A seal as JSON: keys sorted, so that equal seals are equal bytes; times as ISO 8601 in UTC with milliseconds.

import DrillModel
import Foundation

enum SealCoding {
    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    static func encode(_ seal: Seal) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            // The format cuts digits off instead of rounding: without the half millisecond .123 would read .122.
            try container.encode(date.addingTimeInterval(0.0005).formatted(time))
        }
        return try encoder.encode(seal)
    }

    static func decode(_ payload: Data) -> Seal? {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let date = try time.parse(try decoder.singleValueContainer().decode(String.self))
            return Date(timeIntervalSince1970: (date.timeIntervalSince1970 * 1000).rounded() / 1000)
        }
        return try? decoder.decode(Seal.self, from: payload)
    }

    /// The one field that every version has.
    static func version(of payload: Data) -> Int? {
        struct Versioned: Decodable { var version: Int }
        return try? JSONDecoder().decode(Versioned.self, from: payload).version
    }
}
