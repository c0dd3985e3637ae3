// sendmail, whoever's: Postfix', Exim's, OpenSMTPD's, msmtp's, dma's.

public import ScratchHost

/// It takes a message on its standard input, and its codes are those of sysexits.h.
public struct Sendmail: Sendable {
    /// The program's path.
    public var program: String

    public init(program: String) { self.program = program }

    /// The recipients stand on the command line, and not in what is read of the message (`-t`): whatever a header says, nobody else gets it.
    ///
    /// - Parameters:
    ///   - recipients: Addresses that don't begin with a dash.
    ///   - sender: Of the envelope: who hears that a mail couldn't be delivered.
    public func send(to recipients: [String], from sender: String) -> [String] {
        // A line with a dot alone doesn't end the message.
        [program, "-i", "-f", sender, "--"] + recipients
    }

    /// What its end means.
    public enum Answer: Sendable, Hashable {
        /// It took the mail into its care: whether it arrives, its log and the sender's mailbox tell.
        case taken
        /// EX_TEMPFAIL: another try is worth it.
        case later
        /// In words.
        case refused(String)
        /// It isn't there, or is no program.
        case cannotRun
    }

    public static func answer(_ result: ToolResult) -> Answer {
        switch result.exitCode {
        case 0: .taken
        case 75: .later
        case 126, 127: .cannotRun
        case 64: .refused("it doesn't know its arguments (exit 64)")
        case 67, 68: .refused("it knows no such recipient (\(result.ending))")
        case 69, 78: .refused("it is not set up to send mail (\(result.ending))")
        case 77: .refused("this user may not send mail (exit 77)")
        default: .refused("it ended with \(result.ending)")
        }
    }
}
