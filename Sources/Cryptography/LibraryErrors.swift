// Turns libcrypto's and the system's error codes into this library's error.

import COpenSSL
import Foundation

extension CryptographyError {
    /// What libcrypto says last, and an emptied error queue: it is per thread, and would speak up in a later call.
    static func library(_ doing: String) -> CryptographyError {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        let reason = ERR_reason_error_string(code).map { String(cString: $0) } ?? "no reason given"
        return CryptographyError(
            .library, message: "libcrypto failed while \(doing): \(reason.lowercased())",
            hint: "check the OpenSSL installation (`openssl version -a`), and the memory that is free")
    }

    static func reading(_ path: String, _ code: Int32) -> CryptographyError {
        CryptographyError(
            .cannotRead(path: path, code: code), message: "cannot read \(path): \(systemMessage(code))",
            hint: code == ENOENT ? "check the path" : "check the permissions of the file and of the folders above it, and the disk")
    }

    static func writing(_ path: String, _ code: Int32) -> CryptographyError {
        if code == ENOSPC || code == EDQUOT {
            return CryptographyError(
                .diskFull(path: path), message: "the disk is full while writing \(path)",
                hint: "free some space on that disk, or work in a folder on a larger one")
        }
        return CryptographyError(
            .cannotWrite(path: path, code: code), message: "cannot write \(path): \(systemMessage(code))",
            hint: "check that the folder exists and that this user may write in it")
    }

    static let cancelled = CryptographyError(.cancelled, message: "stopped before the end", hint: "run it again")

    private static func systemMessage(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
