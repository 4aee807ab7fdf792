"""Delivery beside its peers: `python -m bench.delivery --ledger | --smtp | --sendgrid [options of that benchmark]`."""

import importlib
import sys

BENCHMARKS = {
    "--ledger": "bench.delivery_ledger",
    "--smtp": "bench.delivery_smtp",
    "--sendgrid": "bench.delivery_sendgrid",
}


def main() -> None:
    """Run the one that is asked for."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen not in BENCHMARKS:
        raise SystemExit(f"usage: python -m bench.delivery {' | '.join(BENCHMARKS)} [options]")
    del sys.argv[1]
    importlib.import_module(BENCHMARKS[chosen]).main()


if __name__ == "__main__":
    main()
