// Quoting of names and texts, so that any of them can stand in a statement.

/// Quoting for SQL text. Values belong into parameters; these are for where parameters can't stand.
public enum SQL {
    /// A name, always quoted: `"Odd ""name"""`.
    public static func identifier(_ name: String) -> String {
        "\"" + doubled(name, "\"") + "\""
    }

    /// A name within a schema: `"public"."domains"`.
    public static func identifier(_ schema: String, _ name: String) -> String {
        identifier(schema) + "." + identifier(name)
    }

    /// A text literal. Safe under either setting of `standard_conforming_strings`.
    public static func literal(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return "'" + doubled(text, "'") + "'" }
        return "E'" + doubled(doubled(text, "'"), "\\") + "'"
    }

    // Works on Unicode scalars: as a Character, a quote with a combining mark behind it is not a quote.
    private static func doubled(_ text: String, _ quote: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(scalar)
            if scalar == quote { result.append(scalar) }
        }
        return String(result)
    }
}
