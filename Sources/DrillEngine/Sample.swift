// Which one of the kept backups a drill takes that is not after the newest.

public import DrillModel
public import Foundation

extension Rule {
    static let noneWithin = Rule("no-recovery-point-within")
}

/// How a sample is chosen: the same of the same backups by the same seed.
public struct Sample: Sendable {
    var service: String
    /// How old it may be at the incident; nil: as old as there are.
    var within: Duration?
    var seed: UInt64
    var disaster: Date

    /// - Parameter seed: nil: any.
    public init(_ recovery: Recovery?, of service: String, seed: UInt64?, disaster: Date) {
        self.service = service
        within = recovery?.within
        // Few enough digits to be typed.
        self.seed = seed ?? UInt64(UInt32.random(in: .min ... .max))
        self.disaster = disaster
    }

    /// - Parameter all: Newest first. Copies of one artifact count as one, and the first is taken.
    /// - Returns: nil where none is young enough.
    public func choose(from all: [RecoveryPoint], _ selection: Recovery.Selection) -> RecoveryPoint? {
        let young = young(of: all)
        let paths = young.reduce(into: [String]()) { paths, point in if !paths.contains(point.path) { paths.append(point.path) } }
        guard let oldest = paths.last else { return nil }
        let chosen = selection == .oldest ? oldest : paths[Int(draw() % UInt64(paths.count))]
        return young.first { $0.path == chosen }
    }

    private func young(of all: [RecoveryPoint]) -> [RecoveryPoint] {
        all.filter { point in within.map { disaster.timeIntervalSince(point.time) <= $0 / .seconds(1) } ?? true }
    }

    /// One step of SplitMix64 over the seed and the service's name: two services of one run don't move in step.
    private func draw() -> UInt64 {
        let name = service.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        var z = (seed ^ name) &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// `chosen at random of 12 (--seed 77 repeats it)`
    func words(of all: [RecoveryPoint], _ selection: Recovery.Selection) -> String {
        let count = Set(young(of: all).map(\.path)).count
        return selection == .oldest ? "the oldest of \(count)" : "chosen at random of \(count)\(window) (--seed \(seed) repeats it)"
    }

    private var window: String { within.map { " within \(ObjectiveCases.text($0))" } ?? "" }

    func noneYoungEnough(newest: RecoveryPoint?) -> Finding {
        let age = newest.map { ObjectiveCases.text(.seconds(disaster.timeIntervalSince($0.time))) } ?? "none"
        return Finding(
            .noneWithin, object: service, expected: "a backup made\(window) before the incident", actual: "the newest is \(age) old",
            message: "no kept backup is young enough to be drawn", hint: "look into the backup job, or draw from a longer time")
    }
}
