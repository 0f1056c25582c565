"""What the tests and the programs here share is imported by its own name by both."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
