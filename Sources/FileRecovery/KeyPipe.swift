// A key on its way to a program: through a named pipe, so that it stands on no command line, in no environment and on no disk.

import Cryptography
import DrillModel
import Foundation
import Glibc
import ScratchHost
import Synchronization

/// A named pipe inside a private folder, which a program opens as if it were the key's file.
final class KeyPipe: Sendable {
    let url: URL
    private let key: Secret
    private let ended = Atomic(false)

    /// - Throws: ``ScratchError``.
    init(_ key: Secret, in folder: URL, of host: ScratchHost) throws(ScratchError) {
        url = folder.appendingPathComponent("key")
        self.key = key
        guard mkfifo(url.path, 0o600) == 0 else {
            throw ScratchError(.fileSystem, "no named pipe can be made in \(folder.path)", hint: "choose another disk with --scratch")
        }
        try host.folder.own(url)
    }

    /// The program is gone: nobody will ask for the key any more.
    func end() { ended.store(true, ordering: .relaxed) }

    /// Hands the key to whoever opens the pipe, once; returns when that is done, or with ``end()``.
    func hand() async {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "muster.key").async {
                self.wait()
                continuation.resume()
            }
        }
    }

    private func wait() {
        while !ended.load(ordering: .relaxed) {
            // Opening it to write succeeds only while somebody reads.
            let descriptor = open(url.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
            if descriptor >= 0 {
                write(to: descriptor)
                close(descriptor)
                return
            }
            usleep(2000)
        }
    }

    private func write(to descriptor: Int32) {
        key.withBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty, !ended.load(ordering: .relaxed) {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN || errno == EINTR {
                    usleep(2000)
                } else {
                    return
                }
            }
        }
    }
}
