"""A year of random cases on two desks: how many there were, what was compared, and every difference."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.contracts import commands as ask
from shared.contracts.commands import Command
from shared.contracts.words import Channel, Outcome, StopKind
from tests.support.clock_desk import LAWS, Desk
from tests.support.life import AGENCY, local

Saying = Callable[[random.Random], Command]
PAPERS = ask.RequestSupplement(documents=("request",), reason="incomplete")
FEE, PAID = ask.RequestPayment(amount_vnd=100), ask.ReceivePayment(amount_vnd=100)
EXTEND = ask.Extend(new_due_at=local("2020-01-01 00:00"), reason="overload", apology="sorry")
SUSPEND = ask.Stop(stop_kind=StopKind.SUSPENDED, reason="court_case")
WITHDRAWN = ask.Stop(stop_kind=StopKind.WITHDRAWN, reason="asked")
ENDS = ask.Stop(stop_kind=StopKind.TERMINATED, reason="no_answer")
GO_ON, WITHDRAW = ask.Resume(reason="obstacle_removed"), ask.RequestWithdrawal()
STEP, PUBLISH = ask.CompleteStep(step="examine", unit="labour"), ask.CompleteStep(step="publish")
ANSWER, TAX = ask.Forward(to_unit="labour", share_half_days=2), ask.Forward(to_agency="tax")
BACK, REOPEN = ask.Forward(to_agency=AGENCY), ask.Reopen(reason="wrong_result")
GRANT = ask.Resolve(outcome=Outcome.GRANTED)
RETURN = ask.Return(channel=Channel.POST)
WORK = (PAPERS, PAPERS, FEE, EXTEND, SUSPEND, WITHDRAW, STEP, ANSWER, TAX, BACK, GRANT, GRANT)
LIKELY: dict[int, tuple[Command, ...]] = {
    1: (ask.Accept(), ask.Accept(), ask.Accept(unit="one-stop"), PAPERS),
    2: WORK,
    4: WORK,
    5: (ask.ReceiveSupplement(), ask.ReceiveSupplement(), ask.Accept(), WITHDRAW, SUSPEND),
    6: (PAID, PAID, GRANT, SUSPEND),
    7: (GO_ON, GO_ON, WITHDRAWN),
    8: (GO_ON,),
    9: (RETURN, REOPEN, PUBLISH),
    10: (REOPEN, PUBLISH),
}
"""Status → what an office mostly does then; some of it is refused, for the same reason on both desks."""
STEPS = 8
LONGEST_GAP = 9 * 24 * 3600


def random_case(rng: random.Random, year: int) -> Desk:
    """A case that is filed on some second of the year, and goes some way."""
    begins = local(f"{year}-01-01 00:00")
    desk = Desk(rng.choice(sorted(LAWS)), begins + timedelta(seconds=rng.randrange(365 * 86_400)))
    for _ in range(rng.randint(1, STEPS)):
        likely = LIKELY.get(desk.sheet.status)
        if likely is None:
            break
        desk.say(rng.choice(likely), _gap(rng), rng.choice([None, rng.randint(-20, 400)]))
        desk.compare_state()
        if rng.random() < 0.1:
            desk.correct(rng.randrange(30), rng.randint(-3000, 9000), _gap(rng))
            desk.compare_state()
    return desk


def _gap(rng: random.Random) -> timedelta:
    return timedelta(seconds=int(LONGEST_GAP * rng.random() ** 2))


def compare_year(year: int, cases: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """What was compared, and the differences, each with the number of its case."""
    seen: Counter[str] = Counter()
    differences: list[str] = []
    for number in range(cases):
        rng = random.Random(f"{year} {seed} {number}")
        try:
            desk = random_case(rng, year)
            desk.pass_time(desk.now + timedelta(seconds=rng.randint(0, 40 * 86_400)))
            desk.compare_state()
            desk.compare_explanation()
        except AssertionError as error:
            differences.append(f"{year}, case {number}: {str(error)[:300]}")
            continue
        seen.update(desk.seen, cases=1)
    return seen, differences


def describe(year: int, seen: Counter[str], differences: list[str], began: datetime, ended: datetime) -> str:
    """One line for people."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
    return f"{year}: {counts}; {len(differences)} differences; {(ended - began).total_seconds():.1f} s"
