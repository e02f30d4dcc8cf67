"""``python -m taskengine`` is the ``taskengine`` command."""

import sys

from taskengine.cli import main

sys.exit(main())
