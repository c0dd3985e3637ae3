// Durations as people write them: `4h`, `1h30m`.

/// Reads a duration.
enum DurationText {
    enum Failure: Error, Equatable {
        case noUnit, malformed, notPositive, tooLong
    }

    /// Days, hours, minutes and seconds, whole numbers, largest first, each once: `2d`, `1h30m`, `15s`.
    static func parse(_ text: String) throws(Failure) -> Duration {
        if text.hasPrefix("-"), (try? parse(String(text.dropFirst()))) != nil || Double(text) != nil { throw .notPositive }
        if Double(text) != nil { throw .noUnit }
        let units: [(Character, Int)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        var allowed = units[...]
        var digits = ""
        var seconds = 0
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let unit = allowed.firstIndex(where: { $0.0 == character }), !digits.isEmpty else { throw .malformed }
            // Nine digits can't overflow in any unit.
            guard digits.count <= 9, let number = Int(digits) else { throw .tooLong }
            seconds += number * units[unit].1
            allowed = units[(unit + 1)...]
            digits = ""
        }
        guard digits.isEmpty, !text.isEmpty else { throw .malformed }
        guard seconds > 0 else { throw .notPositive }
        // Ten years: beyond that, it is a slip.
        guard seconds <= 3_660 * 86_400 else { throw .tooLong }
        return .seconds(seconds)
    }
}
