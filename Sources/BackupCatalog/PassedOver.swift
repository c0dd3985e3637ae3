// What lies in a store under a name that can't be used: it matches, and nothing could be read by that name.

public import DrillModel
public import Foundation

extension Rule {
    static let nameUnusable = Rule("name-unusable")
}

/// Something in a store that may be a backup, and that Muster has to pass over.
public struct PassedOver: Sendable, Hashable {
    public var store: String
    /// As it can be shown: bytes that are no text as `\xff`.
    public var path: String
    public var modified: Date?
    /// What is wrong with the name.
    var reason: String

    /// - Parameter severity: Critical where it may be the newest.
    public func finding(_ severity: Finding.Severity = .critical) -> Finding {
        Finding(
            .nameUnusable, severity, object: "\(store):\(path)", expected: "a name that muster can use", actual: reason,
            message: "what lies under this name matches, and is passed over: \(reason)",
            hint: "rename it, and mend the job that names it; if it is no backup, put it elsewhere")
    }

    /// Printable ASCII as it is, everything else by its bytes.
    static func shown(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            (0x20..<0x7f).contains(byte) ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
