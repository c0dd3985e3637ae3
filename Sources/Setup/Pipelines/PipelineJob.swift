// The jobs of a pipeline: when each is due, in the words of each scheduler, and how long it may take.

/// One job, as templates read it: stored texts alone.
struct PipelineJob: Sendable {
    enum Name: String, Sendable {
        case inspect, drill
        /// Where it can't follow the drill in one job.
        case report
        /// What every pipeline has.
        static let always = [Name.inspect, .drill]
    }

    let name: String
    let title: String
    /// For a sentence's end, and its beginning.
    let often: String
    let moment: String
    let isDrill: Bool
    /// What muster is called with.
    let words: String
    /// systemd's, to which the zone is added.
    let calendar: String
    /// Of a cron where either a day of the month or one of the week does: the first seven days, of which the job itself takes the Sunday.
    let cron: String
    /// Of Jenkins, where both must hold, and where H spreads the load.
    let jenkins: String
    /// The time that it may take; Jenkins' drill inspects as well.
    let hours: String
    let hoursInAll: String
    let seconds: String

    /// - Parameter words: What muster is called with, without its output.
    init(_ name: Name, words: String) {
        let hours: Int
        switch name {
        case .inspect:
            title = "inspection of the stored backups"
            (often, moment) = ("each morning", "Each morning")
            // After the night's backups, and before anybody's day.
            (calendar, cron, jenkins) = ("*-*-* 06:30:00", "30 6 * * *", "H 6 * * *")
            hours = 2
            hoursInAll = "2"
        case .drill:
            title = "recovery drills"
            (often, moment) = ("the first Sunday of each quarter", "The first Sunday of each quarter")
            // No zone's summer time skips three o'clock on these days.
            (calendar, cron, jenkins) = ("Sun *-01,04,07,10-01..07 03:00:00", "0 3 1-7 1,4,7,10 *", "H 3 1-7 1,4,7,10 0")
            hours = 8
            hoursInAll = "10"
        case .report:
            title = "compliance report"
            (often, moment) = ("the eighth of each quarter", "The eighth of each quarter")
            // Behind each of the days that may have been the drill's Sunday.
            (calendar, cron, jenkins) = ("*-01,04,07,10-08 07:30:00", "30 7 8 1,4,7,10 *", "H 7 8 1,4,7,10 *")
            hours = 1
            hoursInAll = "1"
        }
        self.name = name.rawValue
        isDrill = name == .drill
        self.words = words
        self.hours = String(hours)
        seconds = String(hours * 3600)
    }
}
