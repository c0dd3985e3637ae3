// How long is tried to tell somebody.

/// All of it is bounded: a run must end.
public struct Pace: Sendable {
    /// At most so many, the first among them.
    var tries: Int
    /// Before the second try; doubled before each other.
    var pause: Duration
    /// What a server asks for counts up to here.
    var longestPause: Duration
    /// Of one try of a webhook, in whole seconds.
    var request: Int
    /// Of one try of a program.
    var program: Duration
    /// Of everything, all channels at once.
    var whole: Duration

    /// After a run that came to its end.
    public static let usual = Pace(
        tries: 3, pause: .seconds(2), longestPause: .seconds(30), request: 20, program: .seconds(60), whole: .seconds(120))

    /// After a signal: whoever stops a container waits ten seconds in all.
    public static let hurried = Pace(
        tries: 2, pause: .milliseconds(500), longestPause: .seconds(1), request: 4, program: .seconds(4), whole: .seconds(5))

    /// - Parameter asked: The seconds that a server asks for.
    func pause(after tries: Int, asked: Int?) -> Duration {
        var pause = pause
        for _ in 1..<max(1, tries) { pause = pause * 2 }
        return min(max(pause, .seconds(asked ?? 0)), longestPause)
    }
}
