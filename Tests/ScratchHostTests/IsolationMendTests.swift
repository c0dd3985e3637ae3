// What `muster doctor` tells a container's owner to run it with.

import Testing

@testable import ScratchHost

struct IsolationMendTests {
    @Test(
        arguments: [
            (nil, false), ("unconfined", false), ("docker-default (enforce)", true), ("docker-default (complain)", false),
        ] as [(String?, Bool)])
    func anAppArmorProfileIsNamed(_ profile: String?, _ stands: Bool) {
        let flags = Isolation.containerFlags(profile: profile)
        #expect(flags.contains("seccomp=unconfined") && flags.contains("apparmor=unconfined") == stands)
    }
}
