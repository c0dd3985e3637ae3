// Where an estate is looked for, by what the environment says. What is found there: EstateSearchTests, on the built program.

import Testing

@testable import DrillFiles

@Suite struct EstatePlacesTests {
    @Test(arguments: [
        (["HOME": "/home/ann"], ["/home/ann/.config/muster", "/etc/muster"]),
        (["HOME": "/home/ann", "XDG_CONFIG_HOME": "/srv/conf/"], ["/srv/conf/muster", "/etc/muster"]),
        // As the specification has it: what is relative or empty doesn't count.
        (["HOME": "/home/ann", "XDG_CONFIG_HOME": "conf"], ["/home/ann/.config/muster", "/etc/muster"]),
        (["HOME": "/home/ann", "XDG_CONFIG_HOME": ""], ["/home/ann/.config/muster", "/etc/muster"]),
        (["HOME": ""], ["/etc/muster"]),
        (["HOME": "ann"], ["/etc/muster"]),
        ([:], ["/etc/muster"]),
        (["MUSTER_CONFIG_DIRS": "/usr/local/etc/muster:relative::/etc/other/"], ["/usr/local/etc/muster", "/etc/other"]),
        (["MUSTER_CONFIG_DIRS": ""], ["/etc/muster"]),
        (["MUSTER_CONFIG_DIRS": "relative"], ["/etc/muster"]),
    ])
    func places(environment: [String: String], others: [String]) {
        #expect(EstatePlaces(environment: environment).folders == ["drills"] + others)
    }
}
