// Somebody who could not be told, and why.

public import DrillModel

/// Made of fixed words, names of the estate file, status and exit codes: nothing that a server or a program said, and no address.
public struct Untold: Error, Sendable, Hashable {
    /// `webhook of notify.oncall answered 404`
    public var message: String
    public var hint: String

    init(_ channel: NotifyChannel, _ what: String, hint: String) {
        message = "\(channel.title) \(what)"
        self.hint = hint
    }

    public var failure: CommandFailure { CommandFailure(.unverified, message, hint: hint) }
}

/// What one try came to.
enum Attempt: Sendable {
    case told
    /// - Parameters:
    ///   - mayPass: Another try is worth it.
    ///   - wait: The seconds that the other side asks for.
    case failed(Untold, mayPass: Bool, wait: Int?)
}
