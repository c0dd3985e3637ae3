// OCB packets and gpg's word on them: proven whole is told from merely opened.

import Cryptography
import DrillModel
import Foundation
import Testing

@testable import FileRecovery

@Suite struct GPGStatusTests {
    /// The dump script of `script(64)`, by GnuPG 2.4.7: `gpg --batch --pinentry-mode loopback --passphrase-file right --set-filename '' --force-ocb -c`.
    private static let ocb = """
        jE0FCQIDCnFXN5abHqHM//WE6ReQTpXRgTg4Pc54usYEYW45wEQuKpH6JfDsdqo6nbohkCLWk1KfKgPBpuyMNDwXgYh9B5qnVHIHmDfoytSZAQkCEJ/mtrAyQTryXu+i\
        ZYicUcPa+8YFFxHnL8Nok39PmZ1IuieNt1e1lSfxY8ad0MDnm0RR/nyJCynZ2vvttYxSFdjVsWdo3U/7VF5Dyrv3IV8OIRw2CoDn5ecD9G40Uiywe1FhMlSMQB92SsnlFXff\
        pRxPjUlppPVaHJGlTkyhL2+gDXnnUfLSrdB0VqWzMw4VevKTe4gS
        """
    private let key = ArtifactStream.Encryption(.gpg, key: Secret("correct horse"))

    @Test func anOCBFileComesBack() async throws {
        try await Fixture.with { fixture in
            try fixture.file("a.enc", Array(try #require(Data(base64Encoded: Self.ocb))))
            let result = try await fixture.retrieve(try await fixture.point("a.enc"), key: key)
            #expect(Array(try Data(contentsOf: result.location)) == script(64) && result.isAuthenticated)
        }
    }

    /// In the session key, the nonce, the content, its tag and the last one.
    @Test(arguments: [60, 90, 120, 215, 233]) func aChangedBitIsRefused(place: Int) async throws {
        try await Fixture.with { fixture in
            var bytes = Array(try #require(Data(base64Encoded: Self.ocb)))
            bytes[place] ^= 1
            try fixture.file("a.enc", bytes)
            let failure = await fixture.failure(of: try await fixture.point("a.enc"), key: key)
            #expect(failure?.verdict == .failed && failure?.finding.rule.name == "decryption-failed", "\(String(describing: failure))")
            #expect(!fixture.left.contains("artifact"))
        }
    }

    private static func lines(_ words: String...) -> String { words.map { "[GNUPG:] \($0)\n" }.joined() }

    @Test(arguments: [
        // MDC; OCB by 2.2 and by 2.4; one message in another.
        lines("DECRYPTION_INFO 2 9 0", "DECRYPTION_OKAY", "GOODMDC"), lines("DECRYPTION_INFO 0 9 0", "DECRYPTION_OKAY", "GOODMDC"),
        lines("DECRYPTION_INFO 0 9 2", "DECRYPTION_OKAY", "GOODMDC"),
        lines("DECRYPTION_INFO 2 9 0", "DECRYPTION_INFO 2 9 0", "DECRYPTION_OKAY", "GOODMDC", "DECRYPTION_OKAY", "GOODMDC"),
    ])
    func proven(_ said: String) {
        #expect(GPGStatus("gpg: a note\n" + said).isAuthenticated)
    }

    @Test(arguments: [
        "", lines("PLAINTEXT 62 1795976321 plain"), "DECRYPTION_INFO 2 9 0\nDECRYPTION_OKAY\nGOODMDC\n",
        // Without an MDC: refused by gpg itself, and where its configuration has it look away.
        lines("DECRYPTION_INFO 0 9 0", "DECRYPTION_FAILED"), lines("DECRYPTION_INFO 0 9 0", "DECRYPTION_OKAY"),
        lines("DECRYPTION_INFO 0 9 0", "DECRYPTION_OKAY", "DECRYPTION_INFO 2 9 0", "DECRYPTION_OKAY", "GOODMDC"),
        lines("DECRYPTION_INFO 2 9 0", "BADMDC", "DECRYPTION_FAILED"), lines("DECRYPTION_OKAY", "GOODMDC"),
    ])
    func notProven(_ said: String) {
        #expect(!GPGStatus(said).isAuthenticated)
    }
}
