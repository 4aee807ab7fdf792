"""The deployer's view of the ticks: which stages run by themselves, how often, and why. Run it to see the table."""

import newsletter.worker.tasks  # noqa: F401 - first: it sets Django up
from newsletter.worker.stages import STAGES

#: By name: `task`, `every` (seconds) and `why`.
TICKS = {stage.name: stage for stage in STAGES if stage.every is not None}

if __name__ == "__main__":
    for name, tick in TICKS.items():
        print(f"{name:12} every {tick.every:>6g} s  {tick.why}")
