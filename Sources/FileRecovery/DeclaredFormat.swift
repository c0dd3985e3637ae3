// What messages say of a declared format of encryption.

import ArtifactFormats
import Cryptography

extension ArtifactStream.Encryption.Format {
    /// In words: `an openssl-encrypted file`.
    var words: String {
        switch self {
        case .openssl: ArtifactFormat.opensslEncrypted.rawValue
        case .cms: ArtifactFormat.cmsEnveloped.rawValue
        case .age: ArtifactFormat.age.rawValue
        case .gpg: ArtifactFormat.gpg.rawValue
        }
    }

    /// Fewer bytes than this may be the beginning of such a file without looking like it, so they are a cut file.
    var shortest: Int {
        switch self {
        case .openssl: OpenSSLEncCipher.headerSize
        case .cms: 32
        case .age: 22
        case .gpg: 16
        }
    }
}
