// How the console may look: on a terminal or in a log, with or without colour.

/// What the console report may use.
public struct ConsoleOptions: Sendable, Hashable {
    /// A live line that is redrawn in place; plain lines and no control characters otherwise.
    public var live: Bool
    public var color: Bool
    /// Columns of the terminal, which the live line is cut to.
    public var width: Int
    /// Columns that lines which stay are wrapped to; nil where nobody told any: a log's lines are as long as they are. Nothing of them is cut.
    public var wrap: Int?
    /// A line a drill, and what is red.
    public var quiet: Bool

    public init(live: Bool, color: Bool, width: Int = 80, wrap: Int? = nil, quiet: Bool = false) {
        self.live = live
        self.color = color
        self.width = width
        self.wrap = wrap
        self.quiet = quiet
    }

    /// Reads `NO_COLOR`, `TERM`, `CI` and `COLUMNS`.
    ///
    /// - Parameters:
    ///   - isTerminal: Whether the output goes to a terminal, as `isatty` tells.
    ///   - width: The terminal's columns where the system tells them; `COLUMNS` is asked otherwise.
    public init(isTerminal: Bool, environment: [String: String], width: Int? = nil) {
        let dumb = environment["TERM"] == "dumb"
        let ci = !(environment["CI"] ?? "").isEmpty && environment["CI"] != "false"
        live = isTerminal && !dumb && !ci
        // The convention asks for any value but an empty one.
        color = isTerminal && !dumb && (environment["NO_COLOR"] ?? "").isEmpty
        let columns = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        self.width = max(20, width ?? columns ?? 80)
        wrap = (width ?? columns).map { max(20, $0) }
        quiet = false
    }
}
