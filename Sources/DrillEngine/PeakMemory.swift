// How much memory Muster itself has needed.

public import DrillModel
import Foundation

extension Fact {
    /// The most memory that this process itself has held so far, in bytes; its servers' are not in it. 0 where /proc doesn't tell.
    ///
    /// Not by getrusage, whose figure a program inherits: one that a large process started would seem to be as large.
    public static var peakMemory: Fact {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return Fact("muster.peak-memory-bytes", String((line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) * 1024))
    }
}
