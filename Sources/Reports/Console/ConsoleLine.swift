// One line of the console: text with styles, made safe for a terminal in this one place.

import DrillModel

/// A line made of styled pieces.
///
/// Names of tables and keys come out of backups, so every piece is cleaned as it enters: a table name must not
/// move the cursor, and must not turn the reading direction around.
struct ConsoleLine: Sendable {
    enum Style: String, Sendable {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case boldRed = "1;31"
        case boldGreen = "1;32"
        case boldYellow = "1;33"
    }
    private(set) var pieces: [(text: String, style: Style)] = []
    private(set) var width = 0
    /// The column where it goes on when it is wrapped; nil: a little behind where it begins.
    var hang: Int?

    init() {}

    init(_ text: String, _ style: Style = .plain) {
        add(text, style)
    }

    mutating func add(_ text: String, _ style: Style = .plain) {
        let clean = Self.clean(text)
        pieces.append((clean, style))
        width += Self.width(of: clean)
    }

    func adding(_ text: String, _ style: Style = .plain) -> ConsoleLine {
        var line = self
        line.add(text, style)
        return line
    }

    mutating func append(_ other: ConsoleLine) {
        pieces += other.pieces
        width += other.width
    }

    /// The line, then blanks until a column.
    func padded(to column: Int) -> ConsoleLine {
        adding(String(repeating: " ", count: max(0, column - width)))
    }

    /// The text for the sink, without a line break; cut to so many columns where a limit is given.
    func rendered(color: Bool, limit: Int = .max) -> String {
        var result = ""
        var left = limit
        for (text, style) in pieces where left > 0 {
            let shown = Self.cut(text, to: left)
            left -= Self.width(of: shown)
            result += color && style != .plain && !shown.isEmpty ? "\u{1B}[\(style.rawValue)m\(shown)\u{1B}[0m" : shown
        }
        // Padding in front of an empty last column is only noise in a log.
        return color ? result : String(result.reversed().drop { $0 == " " }.reversed())
    }

    static func clean(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned:
                result.append(scalar == "\t" || scalar == "\n" ? " " : "\u{FFFD}")
            case .format:
                // Joiners hold emoji and scripts together; what else is here turns the direction or hides.
                if scalar == "\u{200C}" || scalar == "\u{200D}" { result.append(scalar) } else { result.append("\u{FFFD}") }
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    static func width(of text: String) -> Int {
        text.reduce(0) { $0 + width(of: $1) }
    }

    private static func cut(_ text: String, to columns: Int) -> String {
        guard width(of: text) > columns else { return text }
        var result = ""
        var left = columns - 1
        for character in text {
            left -= width(of: character)
            if left < 0 { break }
            result.append(character)
        }
        return result + "…"
    }

    /// Two columns for emoji and for the wide scripts of East Asia.
    private static func width(of character: Character) -> Int {
        let wide: [ClosedRange<UInt32>] = [
            0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x20000...0x3FFFD,
        ]
        let isWide = character.unicodeScalars.contains { scalar in
            scalar.properties.isEmojiPresentation || scalar == "\u{FE0F}" || wide.contains { $0.contains(scalar.value) }
        }
        return isWide ? 2 : 1
    }
}

extension Verdict {
    /// Tells the verdicts apart without colour.
    var sign: String {
        switch self {
        case .passed: "✓"
        case .failed: "✗"
        case .error: "!"
        case .skipped: "–"
        }
    }

    var style: ConsoleLine.Style {
        switch self {
        case .passed: .green
        case .failed: .red
        case .error: .yellow
        case .skipped: .dim
        }
    }

    var boldStyle: ConsoleLine.Style {
        switch self {
        case .passed: .boldGreen
        case .failed: .boldRed
        case .error: .boldYellow
        case .skipped: .bold
        }
    }
}
