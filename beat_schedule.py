"""The deployer's view of the table of ticks: what rings by itself, how often, and why. Run it to see the table."""

from newsletter.worker.tasks import TICKS

__all__ = ["TICKS"]

if __name__ == "__main__":
    for name, tick in TICKS.items():
        print(f"{name:10} every {tick.every:>6g} s  {tick.why}")
