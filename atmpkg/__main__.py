"""``python -m atmpkg`` is ``atmpkg``."""

from atmpkg.cli import main

main()
