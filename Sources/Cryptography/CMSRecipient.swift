// The private key that a CMS envelope is opened with, and the certificate that says which of its recipients is meant.

import COpenSSL

/// A recipient of CMS envelopes.
public final class CMSRecipient: Sendable {
    // @unchecked: read once; OpenSSL counts references to both atomically, and neither is changed.
    private final class Handles: @unchecked Sendable {
        let key: OpaquePointer
        let certificate: OpaquePointer?

        init(key: OpaquePointer, certificate: OpaquePointer?) {
            self.key = key
            self.certificate = certificate
        }

        deinit {
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
    }
    private let handles: Handles

    /// Reads a private key without a password and, where one stands beside it, its certificate. Both PEM, in any order.
    ///
    /// Throws `invalidKey`.
    public init(pem: Secret) throws(CryptographyError) {
        let hint =
            "the key of format cms is the recipient's private key as PEM, without a password; its certificate may stand in the same text"
        guard let key = Self.read(pem, muster_read_private_key) else {
            throw CryptographyError(.invalidKey, message: "the text is no private key", hint: hint)
        }
        let certificate = Self.read(pem, muster_read_certificate)
        handles = Handles(key: key, certificate: certificate)
        if let certificate, X509_check_private_key(certificate, key) != 1 {
            ERR_clear_error()
            throw CryptographyError(
                .invalidKey, message: "the certificate beside the private key is that of another key",
                hint: "put the recipient's own certificate there, or none")
        }
    }

    private static func read(_ pem: Secret, _ parse: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        pem.withBytes { bytes in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer {
                BIO_free(bio)
                ERR_clear_error()
            }
            return parse(bio)
        }
    }

    /// The cipher of an envelope, ready for its content.
    ///
    /// Throws `wrongKeyOrDamaged`, `unsupported`, or `invalidKey` where several recipients could be meant.
    func open(_ envelope: CMSEnvelope) throws(CryptographyError) -> CMSContent {
        let head = envelope.detached
        guard EVP_PKEY_get_base_id(handles.key) == EVP_PKEY_RSA else {
            // What agrees on a key wraps it with a checksum of its own: the wrong recipients are noticed.
            let tries = handles.certificate.map { [$0, nil] } ?? [nil]
            for certificate in tries {
                let parsed = try CMSHead(head)
                if CMS_decrypt_set1_pkey(parsed.pointer, handles.key, certificate) == 1 {
                    return try CMSContent(parsed, isAuthenticated: envelope.isAuthenticated)
                }
            }
            throw Self.notForThisKey
        }
        let parsed = try CMSHead(head)
        let all = (0..<muster_cms_recipients(parsed.pointer)).filter {
            CMS_RecipientInfo_type(muster_cms_recipient(parsed.pointer, $0)) == CMS_RECIPINFO_TRANS
        }
        // A renewed certificate has another number and may have the same key: where none is named, all are tried.
        let named = all.filter { index in
            handles.certificate.map { CMS_RecipientInfo_ktri_cert_cmp(muster_cms_recipient(parsed.pointer, index), $0) == 0 } ?? false
        }
        var opened: [CMSContent] = []
        for index in named.isEmpty ? all : named {
            if let content = try open(head, recipient: index, isAuthenticated: envelope.isAuthenticated) { opened.append(content) }
        }
        ERR_clear_error()
        guard let content = opened.first else { throw Self.notForThisKey }
        // Newer libraries answer a wrong RSA key with noise instead of an error, and noise may have a key's length.
        guard opened.count == 1 else {
            throw CryptographyError(
                .invalidKey, message: "the envelope has several recipients, and the private key alone doesn't tell which of them it is",
                hint: "put the recipient's certificate, PEM, into the same text as its private key")
        }
        return content
    }

    private func open(_ head: [UInt8], recipient index: Int32, isAuthenticated: Bool) throws(CryptographyError) -> CMSContent? {
        let parsed = try CMSHead(head)
        guard let recipient = muster_cms_recipient(parsed.pointer, index) else { return nil }
        // The envelope takes over one reference to the key, and gives it back with itself.
        EVP_PKEY_up_ref(handles.key)
        guard CMS_RecipientInfo_set0_pkey(recipient, handles.key) == 1 else {
            EVP_PKEY_free(handles.key)
            return nil
        }
        guard CMS_RecipientInfo_decrypt(parsed.pointer, recipient) == 1 else { return nil }
        do throws(CryptographyError) {
            return try CMSContent(parsed, isAuthenticated: isAuthenticated)
        } catch {
            if error.kind == .wrongKeyOrDamaged { return nil }
            throw error
        }
    }

    private static var notForThisKey: CryptographyError {
        ERR_clear_error()
        return CryptographyError(
            .wrongKeyOrDamaged, message: "none of the envelope's recipients has this private key",
            hint: "find the private key that belongs to the certificate which the backup was encrypted for")
    }
}

/// A parsed envelope without its content.
final class CMSHead {
    let pointer: OpaquePointer

    init(_ der: [UInt8]) throws(CryptographyError) {
        let read = der.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return d2i_CMS_bio(bio, nil)
        }
        guard let read else {
            ERR_clear_error()
            throw CMSDecryptor.damaged
        }
        pointer = read
        // With this flag a key that doesn't fit is an error at once, instead of noise as plain text. Hiding which of the two it was
        // protects servers that strangers may ask; nobody asks a drill.
        CMS_decrypt(pointer, nil, nil, nil, nil, UInt32(CMS_DEBUG_DECRYPT))
    }

    deinit {
        CMS_ContentInfo_free(pointer)
    }
}

/// The cipher of one envelope's content.
final class CMSContent {
    private let head: CMSHead
    /// Owns the context.
    private let chain: OpaquePointer
    private let context: OpaquePointer

    init(_ head: CMSHead, isAuthenticated: Bool) throws(CryptographyError) {
        self.head = head
        // The chain wants something to read from; the content is fed to its cipher directly.
        guard let empty = BIO_new(BIO_s_mem()) else { throw .library("preparing a CMS cipher") }
        ERR_clear_error()
        guard let chain = CMS_dataInit(head.pointer, empty) else {
            let code = ERR_peek_error()
            BIO_free(empty)
            ERR_clear_error()
            if [CMS_R_UNKNOWN_CIPHER, CMS_R_CIPHER_INITIALISATION_ERROR].contains(ERR_GET_REASON(code)) { throw Self.cipher }
            throw CMSDecryptor.damaged
        }
        guard let context = muster_cipher_context(chain) else {
            BIO_free_all(chain)
            throw .library("preparing a CMS cipher")
        }
        self.chain = chain
        self.context = context
        let kind = muster_authenticates(context)
        // An envelope that claims to be authenticated under a cipher that can't do it was made by somebody who wants it believed.
        if isAuthenticated, kind == 0 { throw CMSDecryptor.damaged }
        if kind < 0 || !isAuthenticated && kind > 0 { throw Self.cipher }
    }

    deinit {
        BIO_free_all(chain)
    }

    func update(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CryptographyError) {
        guard CipherContext.update(context, bytes, into: &output) else { throw .library("running a CMS cipher") }
    }

    /// Appends the rest.
    ///
    /// - Parameter code: What the envelope says of its content; empty where it has none.
    /// - Returns: Whether padding or code are right.
    func finish(code: [UInt8], into output: inout [UInt8]) -> Bool {
        var code = code
        if !code.isEmpty, muster_set_tag(context, &code, Int32(code.count)) != 1 { return false }
        return CipherContext.finish(context, into: &output)
    }

    private static var cipher: CryptographyError {
        CryptographyError(
            .unsupported, message: "the envelope's cipher is none that can be read piece by piece, or this OpenSSL lacks it",
            hint: "encrypt with openssl cms -aes-256-gcm, or -aes-256-cbc")
    }
}
