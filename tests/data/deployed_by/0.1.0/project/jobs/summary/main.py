"""An ML Job that is no step: it prints what it was given."""

import sys

print(" ".join(sys.argv[1:]), "purchases")
