"""`python -m service` is `cascade`."""

import sys

from service.cli import main

sys.exit(main())
