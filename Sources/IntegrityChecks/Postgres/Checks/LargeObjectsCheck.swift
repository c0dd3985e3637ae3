// Asks whether the large objects came back.

import DrillModel
import PostgresClient

extension Rule {
    static let largeObjectsDiffer = Rule("large-objects-differ")
}

/// Large objects against the seal.
struct LargeObjectsCheck: PostgresCheck {
    func run(_ context: PostgresCheckContext) async {
        let name = "large objects"
        guard let sealed = context.seal?.largeObjects else { return await context.skip(.content, name, context.unsealedReason) }
        let start = ContinuousClock.now
        do throws(PostgresError) {
            let found = try await context.inventory.largeObjects()
            if sealed.count == 0, found.count == 0 { return }
            var findings: [Finding] = []
            if found != sealed {
                let sameCount = found.count == sealed.count
                findings.append(
                    Finding(
                        .largeObjectsDiffer, object: "large objects", expected: "\(sealed.count) with the sealed content hash",
                        actual: sameCount ? "\(found.count) with another hash" : "\(found.count)",
                        message: sameCount ? "at least one large object has other content" : "the number of large objects differs",
                        hint: "check that pg_dump runs with large objects (--large-objects, or --blobs before version 16)"))
            }
            await context.judge(.content, name, since: start, findings)
        } catch {
            await context.fail(.content, name, since: start, object: name, error)
        }
    }
}
