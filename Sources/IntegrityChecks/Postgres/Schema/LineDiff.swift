// Two texts as a unified diff, short enough to read.

/// Differences between two texts, line by line.
enum LineDiff {
    /// Unchanged lines that are shown around a change.
    private static let context = 3
    /// More lines than this are cut.
    private static let limit = 200

    /// Lines that begin with ` `, `-` or `+`; long unchanged stretches are counted instead of shown.
    static func unified(from old: String, to new: String) -> [String] {
        let old = lines(old)
        let new = lines(new)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in new.difference(from: old) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var result: [String] = []
        var same: [String] = []
        var (left, right) = (0, 0)
        func flush(atEnd: Bool) {
            let head = result.isEmpty ? 0 : context
            let tail = atEnd ? 0 : context
            if same.count > head + tail + 1 {
                result += same.prefix(head).map { " " + $0 }
                result.append(" … \(same.count - head - tail) unchanged lines")
                result += same.suffix(tail).map { " " + $0 }
            } else {
                result += same.map { " " + $0 }
            }
            same = []
        }
        while left < old.count || right < new.count {
            if left < old.count, removed.contains(left) {
                flush(atEnd: false)
                result.append("-" + old[left])
                left += 1
            } else if right < new.count, inserted.contains(right) {
                flush(atEnd: false)
                result.append("+" + new[right])
                right += 1
            } else {
                same.append(old[left])
                left += 1
                right += 1
            }
        }
        flush(atEnd: true)
        return cut(result)
    }

    /// All lines of a text behind one mark.
    static func all(_ text: String, mark: String) -> [String] {
        text.isEmpty ? [] : cut(lines(text).map { mark + $0 })
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private static func cut(_ lines: [String]) -> [String] {
        lines.count <= limit ? lines : lines.prefix(limit) + [" … \(lines.count - limit) more lines"]
    }
}
