// Writes a small file so that a reader sees the old one or the new one, never a half.

import Foundation

enum AtomicFile {
    /// - Parameter isNew: What is already there stays, and is an error.
    static func write(_ bytes: Data, to target: URL, mode: mode_t, isNew: Bool = false) throws(SealError) {
        let temporary = target.path + ".\(getpid()).partial"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure(target, errno) }
        var code: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count, code == 0 {
                let count = Foundation.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                if count >= 0 { written += count } else if errno != EINTR { code = errno }
            }
        }
        // fchmod, because the caller's umask has thinned out the mode above.
        if code == 0, fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0 { code = errno }
        if Foundation.close(descriptor) != 0, code == 0 { code = errno }
        if code == 0, isNew {
            code = place(temporary, at: target.path)
        } else if code == 0, rename(temporary, target.path) != 0 {
            code = errno
        }
        guard code == 0 else {
            unlink(temporary)
            throw failure(target, code)
        }
    }

    /// - Returns: 0, or the system's errno: `EEXIST` where something is there already.
    private static func place(_ file: String, at target: String) -> Int32 {
        if link(file, target) == 0 {
            unlink(file)
            return 0
        }
        let code = errno
        // Some shares know no second name of a file.
        guard [EPERM, ENOTSUP, ENOSYS].contains(code) else { return code }
        if access(target, F_OK) == 0 { return EEXIST }
        return rename(file, target) == 0 ? 0 : errno
    }

    private static func failure(_ target: URL, _ code: Int32) -> SealError {
        let full = code == ENOSPC || code == EDQUOT
        return SealError(
            .cannotWrite(path: target.path, code: code),
            message: "cannot write the seal \(target.path): \(full ? "the disk is full" : String(cString: strerror(code)).lowercased())",
            hint: full ? "free some space on that disk" : "check that the folder exists and that this user may write in it")
    }
}
