// What the operating system shows of a scratch process: asked, not assumed.

/// The operating system's own view of one scratch process.
public struct QuarantineAnswers: Sendable, Hashable {
    /// nil where /proc doesn't tell.
    public var effectiveUser: UInt32?
    public var userName: String
    public var network: NetworkView?
    public var isolation: NetworkIsolation

    public static func ask(pid: Int32, host: ScratchHost) -> QuarantineAnswers {
        QuarantineAnswers(
            effectiveUser: ProcessTable.effectiveUser(of: pid), userName: host.userName, network: NetworkView.of(pid: pid),
            isolation: host.isolation)
    }
}
