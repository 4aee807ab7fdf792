"""Play the attacks A1 to A8 against the running service, as a stranger would, over real sockets: `make attack`.

Prints for each what was tried, what came back, and PASS or FAIL. Ends with 1 when something failed. About three minutes.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.security.attacks import ATTACKS
from tests.security.whole_service import whole_service


def main() -> int:
    """Start the service, play one attack after the other, print what came of it."""
    began, failed, tried = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="newsletter-attack-") as directory:
        print("starting the service, with 6,000 items and two subscribers ...", flush=True)
        with whole_service(Path(directory)) as target:
            for name, (title, attack) in ATTACKS.items():
                print(f"\n{name}  {title}", flush=True)
                for one in attack(target):
                    tried += 1
                    failed += not one.held
                    print(f"  {'PASS' if one.held else 'FAIL'}  {one.tried}\n        -> {one.came_back}", flush=True)
    print(f"\n{tried} tries, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
