import Cryptography
import Foundation
import Testing

@Suite("Ed25519")
struct Ed25519Tests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test("openssl verifies what was signed here")
    func signs() throws {
        let key = try Ed25519PrivateKey.generate()
        let message = try folder.file("message", sample(1000))
        let signature = try folder.file("signature", try key.sign(sample(1000)))
        let pub = try folder.file("pub", Array(try key.publicKey().pem().utf8))
        try openssl(
            "pkeyutl", "-verify", "-pubin", "-inkey", pub.path, "-rawin", "-in", message.path, "-sigfile", signature.path)
    }

    @Test("a key of openssl's signs the same bytes here as there, and has the ID that its DER form gives")
    func reads() throws {
        let file = folder.url.appending(path: "key")
        try openssl("genpkey", "-algorithm", "ed25519", "-out", file.path)
        let key = try Ed25519PrivateKey(pem: Secret(bytes(of: file)))
        let message = try folder.file("message", Array("hello".utf8))
        let theirs = try openssl("pkeyutl", "-sign", "-inkey", file.path, "-rawin", "-in", message.path)
        #expect(try key.sign(Array("hello".utf8)) == Array(theirs))
        #expect(try key.publicKey().isValid(signature: Array(theirs), for: Array("hello".utf8)))
        let der = try openssl("pkey", "-in", file.path, "-pubout", "-outform", "DER")
        #expect(try key.publicKey().keyID == String(SHA256Stream.digest(Array(der)).prefix(16)))
        #expect(try key.pem().withBytes { Array($0) } == bytes(of: file))
        let pub = String(decoding: try openssl("pkey", "-in", file.path, "-pubout"), as: UTF8.self)
        #expect(try key.publicKey().pem() == pub)
        #expect(try Ed25519PublicKey(pem: pub).keyID == key.publicKey().keyID)
    }

    @Test("any change of message, signature or key is noticed")
    func notices() throws {
        let key = try Ed25519PrivateKey.generate()
        let message = sample(64)
        let signature = try key.sign(message)
        let pub = try key.publicKey()
        #expect(pub.isValid(signature: signature, for: message))
        for place in message.indices {
            var changed = message
            changed[place] ^= 1
            #expect(!pub.isValid(signature: signature, for: changed))
        }
        for place in signature.indices {
            var changed = signature
            changed[place] ^= 1
            #expect(!pub.isValid(signature: changed, for: message))
        }
        #expect(!pub.isValid(signature: [], for: message))
        #expect(!pub.isValid(signature: signature + [0], for: message))
        #expect(!(try Ed25519PrivateKey.generate().publicKey().isValid(signature: signature, for: message)))
        #expect(pub.isValid(signature: try key.sign([]), for: []))
    }

    @Test("other keys, passwords and noise are refused with a hint, without asking on the terminal")
    func refuses() throws {
        let rsa = try openssl("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048")
        let locked = try openssl("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:word")
        for pem in [Array(rsa), Array(locked), Array("nothing".utf8), []] {
            let error = #expect(throws: CryptographyError.self) { try Ed25519PrivateKey(pem: Secret(pem)) }
            #expect(error?.kind == .invalidKey)
        }
        let error = #expect(throws: CryptographyError.self) { try Ed25519PublicKey(pem: "nothing") }
        #expect(error?.kind == .invalidKey)
        #expect(throws: CryptographyError.self) { try Ed25519PublicKey(pem: String(decoding: rsa, as: UTF8.self)) }
    }

    @Test("a secret never shows itself")
    func secret() throws {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: Optional(secret)), dumped] {
            #expect(!text.contains("hunter2") && !text.contains("104"))
        }
        #expect(secret.count == 7)
        #expect("\(try Ed25519PrivateKey.generate())" == "(secret)")
    }
}
