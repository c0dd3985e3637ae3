// curl: a POST of JSON to an address that is a secret.

public import ScratchHost

/// Everything but that it is curl stands in a configuration on its standard input: a command line is everybody's to read.
///
/// A `.curlrc` isn't read, no redirection is followed, certificates are verified. What the server answered counts, and not how curl ended:
/// it ends with 0 over every answer, and with 28 over one that never ends.
public enum Curl {
    /// First, so that nothing of the user's own configuration counts.
    public static let command = ["curl", "--disable", "--config", "-"]

    /// The configuration of one request.
    ///
    /// - Parameters:
    ///   - url: Without blanks, control characters and anything but ASCII.
    ///   - token: Likewise; sent as a bearer token.
    ///   - limit: Of the whole request, in seconds.
    ///   - isLocal: The address is this machine's own: over plain http, and past any proxy.
    public static func configuration(
        url: String, token: String?, body: String, agent: String, limit: Int, isLocal: Bool
    ) -> String {
        let lines: [(String, String?)] = [
            ("url", url), ("request", "POST"), ("header", "Content-Type: application/json"),
            // A server that doesn't know the question costs a second.
            ("header", "Expect:"), ("header", token.map { "Authorization: Bearer \($0)" }), ("user-agent", agent),
            // Not --data: that takes a text which begins with @ for a file's name.
            ("data-raw", body), ("proto", isLocal ? "=http,https" : "=https"), ("noproxy", isLocal ? "*" : nil), ("max-redirs", "0"),
            ("connect-timeout", String(min(limit, 10))), ("max-time", String(limit)), ("output", "/dev/null"), ("dump-header", "-"),
            ("write-out", "\n%{http_code}"),
        ]
        let options = lines.compactMap { name, value in value.map { "\(name) = \(quoted($0))" } }
        return (["silent", "globoff", "suppress-connect-headers"] + options).map { $0 + "\n" }.joined()
    }

    /// In curl's own quotes, which know four escapes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "\"": result.unicodeScalars.append(contentsOf: ["\\", scalar])
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// What one request came to.
    public enum Answer: Sendable, Hashable {
        /// The server's own status.
        ///
        /// - Parameter wait: The seconds that it asks for, where it does.
        case status(Int, wait: Int?)
        /// Nothing of the server's own, in words. What `mayPass` is worth another try.
        case unanswered(String, mayPass: Bool)
        /// It isn't there, or is no program.
        case cannotRun
    }

    /// - Parameter result: With what it printed.
    public static func answer(_ result: ToolResult) -> Answer {
        if result.couldNotRun { return .cannotRun }
        let lines = result.output.split(whereSeparator: \.isNewline)
        if let last = lines.last, let status = Int(last), status >= 200 {
            let waits = lines.compactMap { $0.firstMatch(of: /^(?i:retry-after): *([0-9]{1,9})[ \t]*$/).flatMap { Int($0.1) } }
            return .status(status, wait: waits.last)
        }
        switch result.exitCode {
        case 1: return .unanswered("its address is not https, or this curl can't speak it", mayPass: false)
        case 3: return .unanswered("its address is none", mayPass: false)
        case 5: return .unanswered("its proxy has no address", mayPass: true)
        case 6: return .unanswered("its host has no address", mayPass: true)
        case 7: return .unanswered("nothing listens there, or it is out of reach", mayPass: true)
        case 28: return .unanswered("no answer in time", mayPass: true)
        case 35: return .unanswered("no secure connection came about", mayPass: true)
        case 51, 58, 59, 60, 77, 80, 83, 90, 91: return .unanswered("its certificate isn't trusted", mayPass: false)
        case 16, 18, 52, 55, 56, 92, 95, 96: return .unanswered("the connection broke off before an answer", mayPass: true)
        case let code: return .unanswered("no answer (curl ended with \(code.map { "exit \($0)" } ?? result.ending))", mayPass: true)
        }
    }
}
