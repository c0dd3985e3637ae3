// Whether a store can be reached from this machine, asked the way a drill would reach for it.

public import DrillModel
import Foundation
import Glibc

extension Rule {
    public static let lostZoneReachable = Rule("lost-zone-reachable")
    public static let lostZoneUnproven = Rule("lost-zone-unproven")
}

extension RemoteStores {
    /// What shows that a store is not out of reach, or what keeps that from being told; nil where nothing of it can be read.
    ///
    /// A folder that is gone or empty holds nothing for anybody. A remote store must give no answer, or
    /// have nothing there: one that refuses the credentials stands where it stood.
    public func reach(of lost: Store) async -> Finding? {
        let object = "store \(lost.name)"
        if let folder = lost.folder {
            do throws(DrillFailure) {
                let listing = StoreListing(store: lost)
                let count = try listing.items(matching: "*").count + listing.items(matching: ".*").count
                return count == 0 ? nil : reachable(object, "\(folder.path) can still be read", count)
            } catch {
                // What root may not read, the user that its tools run as perhaps may.
                return error.finding.rule == .storeMissing || geteuid() != 0 ? nil : unproven(object, error.finding)
            }
        }
        guard let failure = await failure(of: lost) else { return reachable(object, "it still answers") }
        switch failure.finding.rule {
        case .storeUnreachable, .storeMissing: return nil
        case .storeAccessDenied, .storeUntrusted: return reachable(object, "something still answers there: \(failure.finding.message)")
        default: return unproven(object, failure.finding)
        }
    }

    private func unproven(_ object: String, _ finding: Finding) -> Finding {
        Finding(
            .lostZoneUnproven, object: object, expected: "no answer", actual: finding.actual,
            message: "whether the lost store is out of reach can't be told: \(finding.message)", hint: finding.hint)
    }

    private func reachable(_ object: String, _ why: String, _ count: Int? = nil) -> Finding {
        Finding(
            .lostZoneReachable, object: object, expected: "nothing that can be read", actual: count.map { "\($0) entries" } ?? "an answer",
            message: "the drill is of a zone that is lost, and it can still be reached from this machine: \(why)",
            hint: "unmount or firewall it, or let muster do that: outage: {cut: {run: […]}, restore: {run: […]}}")
    }
}
