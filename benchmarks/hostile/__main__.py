"""`python -m benchmarks.hostile`: strangers, broken devices and curious colleagues, all at once.

Three parts: every role tries every operation of the OpenAPI document in a town where it may see
one area of several; a million hostile payloads and topics go through the steps of both lanes; some
thousand of them go through the real broker to the tables. The last line is JSON.
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict

from benchmarks.harness import say
from benchmarks.hostile.api import at_the_door
from benchmarks.hostile.broker import through_the_broker
from benchmarks.hostile.lanes import storm
from tests.integration.desk_database import running_database

GROWTH_MIB = 32.0
"""More than this between the first tenth and the end is a leak: a million messages of 40 bytes."""


def main() -> int:
    """Measure, print one line of JSON; 1 if anything got through."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--payloads", type=int, default=0, help="default: a million")
    parser.add_argument("--requests", type=int, default=0, help="of a kind, where a role may")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    payloads = options.payloads or (100_000 if options.quick else 1_000_000)
    often = options.requests or (3 if options.quick else 12)
    with running_database() as server:
        outcome = asyncio.run(storm(server.fresh(), payloads, options.seed))
        for example in outcome.examples:
            say(example)
        accounts = at_the_door(server.fresh, often=often, seldom=2, seed=options.seed)
        for role, account in accounts.items():
            for example in account.examples:
                say(f"{role}: {example}")
    end_to_end = asyncio.run(through_the_broker(500 if options.quick else 4_000, options.seed))
    api = {
        role: {
            "requests": account.requests,
            "server_errors": account.server_errors,
            "nonconforming": account.nonconforming,
            "foreign": account.foreign + account.touched,
        }
        for role, account in accounts.items()
    }
    failed = (
        any(sum(list(row.values())[1:]) for row in api.values())
        or outcome.escaped
        or not outcome.conserved
        or outcome.growth_mib > GROWTH_MIB
        or end_to_end.unanswered
        or end_to_end.alarms_lost
        or end_to_end.step_failures
        or not end_to_end.ready
    )
    told = {
        "api": api,
        "payloads": outcome.payloads,
        "escaped": outcome.escaped,
        "growth_mib": outcome.growth_mib,
        "alarms": outcome.alarms,
        "telemetry_read": outcome.digested,
        "telemetry_quarantined": outcome.quarantined,
        "broker": asdict(end_to_end),
    }
    print(json.dumps(told))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
