// Work over many items on all cores, whose results come back in the items' order.

import Dispatch
import Synchronization

extension RandomAccessCollection where Self: Sendable, Index == Int {
    /// Calls `body` with parts of the collection, several at once, and waits for all of them.
    ///
    /// - Parameter size: Items in a part: enough that handing it out costs nothing beside it.
    /// - Returns: What became of each item, in order, whichever part was ready first.
    func mapParts<Value: Sendable>(of size: Int, _ body: @Sendable (SubSequence) -> [Value]) -> [Value] {
        let parts = (count + size - 1) / size
        let results = Mutex([[Value]](repeating: [], count: parts))
        DispatchQueue.concurrentPerform(iterations: parts) { part in
            let start = startIndex + part * size
            let values = body(self[start..<Swift.min(start + size, endIndex)])
            results.withLock { $0[part] = values }
        }
        return results.withLock { $0.flatMap(\.self) }
    }
}
