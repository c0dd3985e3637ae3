// The one error of this module.

import Glibc

/// A scratch instance or a tool that could not be had. Never says anything about a backup.
public struct ScratchError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// A program is not on this machine.
        case toolMissing
        /// A program could not be started, or ended without doing its work.
        case toolFailed
        /// A folder or file could not be made, read or removed.
        case fileSystem
        /// The disk is full.
        case diskFull
        /// A server did not come up in time, or ended by itself.
        case serverFailed
        /// The machine refuses what a quarantine needs.
        case refused
    }
    public var kind: Kind
    /// One sentence, lower case, no full stop.
    public var message: String
    /// The mend.
    public var hint: String

    public init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message) (\(hint))" }

    /// The error of a failed system call upon a path.
    public static func system(_ code: Int32, _ doing: String, _ path: String) -> ScratchError {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            return ScratchError(
                .diskFull, "\(doing) \(path): \(reason.lowercased())",
                hint: "free some space there, or choose another scratch folder with --scratch")
        }
        let hint =
            code == EROFS
            ? "give it a folder that can be written, by --scratch or MUSTER_SCRATCH_ROOT; in a container: docker run --tmpfs /tmp:exec,mode=1777"
            : "check the path and its permissions, or choose another scratch folder with --scratch or MUSTER_SCRATCH_ROOT"
        return ScratchError(.fileSystem, "\(doing) \(path): \(reason.lowercased())", hint: hint)
    }
}
