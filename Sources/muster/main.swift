// The executable: it hands over to MusterCLI and holds nothing else.

import MusterCLI

await Muster.main()
