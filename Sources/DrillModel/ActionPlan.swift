// Who mends what drills found, and until when: what people write down beside the estate.

/// The file of corrective actions. It opens and closes none: a red run opens one, and a later green one of the same drill closes it.
public struct ActionPlan: Sendable, Hashable {
    /// What is said of the findings of one rule, or of one of them.
    public struct Entry: Sendable, Hashable {
        public var drill: String
        public var rule: String
        /// nil: whatever object it is about.
        public var object: String?
        public var owner: String?
        public var due: CalendarDay?
        public var note: String?
        /// In its file.
        public var line: Int

        public init(drill: String, rule: String, object: String?, owner: String?, due: CalendarDay?, note: String?, line: Int) {
            self.drill = drill
            self.rule = rule
            self.object = object
            self.owner = owner
            self.due = due
            self.note = note
            self.line = line
        }
    }
    public var entries: [Entry]
    /// How many days there are to mend what has no day of its own.
    public var days: Int

    public static let defaultDays = 30

    public init(entries: [Entry] = [], days: Int = ActionPlan.defaultDays) {
        self.entries = entries
        self.days = days
    }
}
