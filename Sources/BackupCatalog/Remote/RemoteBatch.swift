// Many objects of a remote store in few runs of rclone, each object with its own outcome: one that is bad speaks for itself alone.

import DrillModel
import Foundation
import ScratchHost

extension Rclone {
    /// How many objects one run is asked for. A run takes a twentieth of a second before its first request.
    private static let mostOfARun = 200

    /// A page of a listing takes as long as a few looks at single objects, of which several go at once.
    private static let looksPerPage = 4
    private static let mostPages = 50

    /// What came of each object, by path; and what stood in the way. One that isn't there has neither.
    typealias Outcomes<Value> = (values: [String: Value], troubles: [String: RemoteTrouble])

    /// What one run on several objects came to.
    private enum Answer<Value: Sendable>: Sendable {
        case whole([String: Value])
        /// Some didn't come; nil: nobody can tell whose bytes came.
        case broken(RemoteTrouble?, left: [String])
    }

    /// So many bytes of each object from one offset on, several runs at once; fewer where the object ends.
    ///
    /// - Throws: ``DrillFailure``: the store as a whole can't be asked; `CancellationError`.
    func parts(of objects: [RemoteObject], from offset: Int64, count: Int) async throws -> Outcomes<[UInt8]> {
        // What is known to be empty there needs no request.
        let sizes = Dictionary(objects.map { ($0.path, Int(clamping: min(Int64(count), $0.size - offset))) }) { $1 }
        let asked = sizes.filter { $0.value > 0 }.keys.sorted(by: Self.precedes)
        let size = max(1, min(Self.mostOfARun, (asked.count + connection.width - 1) / connection.width))
        let batches = stride(from: 0, to: asked.count, by: size).map { Array(asked[$0..<min($0 + size, asked.count)]) }
        var outcomes: Outcomes<[UInt8]> = (sizes.filter { $0.value <= 0 }.mapValues { _ in [] }, [:])
        try await withThrowingTaskGroup(of: Outcomes<[UInt8]>.self) { group in
            var next = batches.makeIterator()
            func add() {
                guard let batch = next.next() else { return }
                group.addTask { try await bisect(batch) { try await read($0, sizes, from: offset, count: count) } }
            }
            for _ in 0..<connection.width { add() }
            while let some = try await group.next() {
                outcomes.values.merge(some.values) { $1 }
                outcomes.troubles.merge(some.troubles) { $1 }
                add()
            }
        }
        return outcomes
    }

    /// Brings named files below a folder, each under its own path; those that aren't there are left out.
    ///
    /// rclone holds each against its listed size, and against no digest: of an object that a key service encrypts the ETag looks as an MD5
    /// does and is none. What comes is ours to prove, by signature, seal or manifest.
    ///
    /// - Parameter listed: All of the store: it tells whether to list the files' folders again is less than to look at each of them.
    /// - Returns: What stood in the way of single files, by path.
    /// - Throws: ``DrillFailure``: the store as a whole can't be asked; `CancellationError`.
    func bring(_ paths: [String], of listed: [RemoteObject], into folder: URL) async throws -> [String: RemoteTrouble] {
        guard !paths.isEmpty else { return [:] }
        let pages = paths.count > Self.looksPerPage ? FolderPages(listed) : nil
        @Sendable func lists(_ paths: [String]) -> Bool {
            guard let count = pages?.count(for: paths) else { return false }
            return count <= Self.mostPages && count * Self.looksPerPage < paths.count
        }
        // Nothing is written before all have been looked at, or listed: a run of too many would seem to hang.
        let runs =
            lists(paths) ? [paths] : stride(from: 0, to: paths.count, by: 1000).map { Array(paths[$0..<min($0 + 1000, paths.count)]) }
        var troubles: [String: RemoteTrouble] = [:]
        for run in runs { troubles.merge(try await bring(run, into: folder, lists: lists)) { $1 } }
        return troubles
    }

    private func bring(
        _ paths: [String], into folder: URL, lists: @Sendable ([String]) -> Bool
    ) async throws -> [String: RemoteTrouble] {
        try await bisect(paths) { paths -> Answer<Bool> in
            let trouble = try await trouble {
                try await run(
                    ["copy", "--ignore-checksum", "--transfers", String(connection.width)], on: paths, to: folder, lists: lists(paths),
                    output: .discard)
            }
            guard let trouble else { return .whole([:]) }
            // The others came all the same, unless one could not even be looked at.
            let left = paths.filter { !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path) }
            return left.isEmpty ? .whole([:]) : .broken(trouble, left: left)
        }.troubles
    }

    /// One run of `rclone cat`: the parts come one after the other, and are told apart by their sizes.
    private func read(_ paths: [String], _ sizes: [String: Int], from offset: Int64, count: Int) async throws -> Answer<[UInt8]> {
        let file = host.folder.url.appendingPathComponent("part-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let trouble = try await trouble {
            try await run(["cat", "--offset", String(offset), "--count", String(count)], on: paths, output: .file(file))
        }
        let bytes = Array((try? Data(contentsOf: file)) ?? Data())
        if trouble == nil, paths.count == 1 { return .whole(bytes.isEmpty ? [:] : [paths[0]: bytes]) }
        // One that has gone, grown or shrunk since it was listed would shift all that follow.
        guard trouble == nil, bytes.count == paths.reduce(0, { $0 + (sizes[$1] ?? 0) }) else { return .broken(trouble, left: paths) }
        var (parts, start) = ([String: [UInt8]](), 0)
        for path in paths {
            let end = start + (sizes[path] ?? 0)
            parts[path] = Array(bytes[start..<end])
            start = end
        }
        return .whole(parts)
    }

    /// The order in which `rclone cat` writes what it is asked for: folder by folder, and by name in each.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        func key(_ path: String) -> (folder: [UInt8], path: [UInt8]) {
            (Array((path.lastIndex(of: "/").map { path[..<$0] } ?? "").utf8), Array(path.utf8))
        }
        let (one, other) = (key(left), key(right))
        return one.folder == other.folder
            ? one.path.lexicographicallyPrecedes(other.path) : one.folder.lexicographicallyPrecedes(other.folder)
    }

    // MARK: What is bad among many

    /// Asks for all, and where that breaks for each half by itself, so that what is bad is found in a few runs.
    private func bisect<Value: Sendable>(
        _ paths: [String], isWhole: Bool = true, _ ask: @Sendable ([String]) async throws -> Answer<Value>
    ) async throws -> Outcomes<Value> {
        let (trouble, left): (RemoteTrouble?, [String])
        switch try await ask(paths) {
        case .whole(let values): return (values, [:])
        case .broken(let some, let others): (trouble, left) = (some, others)
        }
        if left.count == 1 { return ([:], trouble.map { [left[0]: settled($0)] } ?? [:]) }
        if isWhole, left.count > 2, let trouble, trouble.kind == .denied { try await refuseAll(left, trouble, ask) }
        var outcomes: Outcomes<Value> = ([:], [:])
        for half in [left.prefix(left.count / 2), left.dropFirst(left.count / 2)] {
            let some = try await bisect(Array(half), isWhole: false, ask)
            outcomes.values.merge(some.values) { $1 }
            outcomes.troubles.merge(some.troubles) { $1 }
        }
        return outcomes
    }

    /// Where the first, the middle and the last are all refused, it is no single object's matter.
    private func refuseAll<Value: Sendable>(
        _ paths: [String], _ trouble: RemoteTrouble, _ ask: ([String]) async throws -> Answer<Value>
    ) async throws {
        for path in [paths[0], paths[paths.count / 2], paths[paths.count - 1]] {
            guard case .broken(let own?, _) = try await ask([path]), own.kind == .denied else { return }
        }
        throw trouble.failure(of: connection)
    }

    /// What stood in the way of one run on several objects.
    ///
    /// - Throws: ``DrillFailure`` where it is the store's.
    private func trouble(_ body: () async throws -> Void) async throws -> RemoteTrouble? {
        do {
            try await persisting(body)
            return nil
        } catch let trouble as RemoteTrouble {
            guard trouble.isOfAnObject, trouble.kind != .cutShort || connection.isForeign else { throw trouble.failure(of: connection) }
            return trouble
        }
    }

    /// Of one object alone, after all attempts: what a foreign remote always cuts at one place is what lies there.
    private func settled(_ trouble: RemoteTrouble) -> RemoteTrouble {
        trouble.kind == .cutShort ? RemoteTrouble(.damaged, cause: trouble.cause) : trouble
    }
}

/// How many pages it takes to list folders.
struct FolderPages: Sendable {
    private let sizes: [Substring: Int]
    private static let ofAPage = 1000

    init(_ objects: [RemoteObject]) {
        var sizes: [Substring: Int] = [:]
        for object in objects { sizes[Self.folder(of: object.path[...]), default: 0] += 1 }
        self.sizes = sizes
    }

    /// Of the folders that the files lie in, and of those that lead there.
    func count(for paths: [String]) -> Int {
        var folders: Set<Substring> = []
        for path in paths {
            var folder = Self.folder(of: path[...])
            while folders.insert(folder).inserted, !folder.isEmpty { folder = Self.folder(of: folder) }
        }
        return folders.reduce(0) { $0 + (sizes[$1] ?? 0) / Self.ofAPage + 1 }
    }

    private static func folder(of path: Substring) -> Substring { path.lastIndex(of: "/").map { path[..<$0] } ?? "" }
}
