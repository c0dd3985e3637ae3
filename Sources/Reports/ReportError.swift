// The one error of this library: a report that could not be written.

import Foundation

/// A report could not be written. A run that can't leave its reports has not verified anything.
public struct ReportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file that could not be written, as it was named.
    public var path: String
    /// Lower case, no full stop.
    public var message: String
    /// What mends it.
    public var hint: String

    public init(path: String, message: String, hint: String) {
        self.path = path
        self.message = message
        self.hint = hint
    }

    /// An error of writing, told with the mend that most often helps.
    init(writing path: String, _ error: any Error) {
        self.init(
            path: path, message: "can't write \(path): \(error.localizedDescription)",
            hint: "check that the folder exists, is writable and has space left, or choose another with --output")
    }

    public var description: String { "\(message)\nhint: \(hint)" }
}
