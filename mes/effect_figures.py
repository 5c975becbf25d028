"""Whether fewer faults after a change are more than chance; pure arithmetic, counts in and out.

Fisher's exact test, one-sided, and the bound of Clopper and Pearson (E. B. Wilson and others give
nearly the same; these two promise nothing that small numbers do not hold).
"""

import math

from mes.enums import Effect

# What is called shown: were nothing changed, one look in twenty would say it all the same.
CHANCE = 0.05
_MOST = 10_000_000
# Faults per thousand from which on an occurrence is rated so (AIAG FMEA, 4th edition).
_OCCURRENCE = ((100, 10), (50, 9), (20, 8), (10, 7), (2, 6), (0.5, 5), (0.1, 4), (0.01, 3))
# So many have to be found before it is said how many of them escape.
_FEWEST_FOUND = 5


def chance(before_bad: int, before_total: int, after_bad: int, after_total: int) -> float:
    """How likely so few faults (or fewer) were among the later ones if nothing had changed."""
    bad, total = before_bad + after_bad, before_total + after_total
    all_ways = _ways(total, after_total)
    least = max(0, after_total - (total - bad))
    logs = [
        _ways(bad, n) + _ways(total - bad, after_total - n) - all_ways
        for n in range(least, after_bad + 1)
    ]
    return min(1.0, math.fsum(math.exp(log) for log in logs))


def most(bad: int, total: int) -> float:
    """The share of faults that may well be behind so many of so many: upper bound, 95 %."""
    if total == 0 or bad >= total:
        return 1.0
    low, high = bad / total, 1.0
    for _step in range(60):
        middle = (low + high) / 2
        if _at_most(bad, total, middle) > CHANCE:
            low = middle
        else:
            high = middle
    return high


def judge(before_bad: int, before_total: int, after_bad: int, after_total: int) -> Effect:
    """What the counts say, and whether they say anything yet."""
    if not before_bad or not after_total:
        return Effect.TOO_FEW
    if chance(before_bad, before_total, after_bad, after_total) <= CHANCE:
        return Effect.SHOWN
    if after_bad * before_total >= before_bad * after_total:
        return Effect.NONE
    return Effect.TOO_FEW


def needed(before_bad: int, before_total: int) -> int | None:
    """So many later ones without a fault would show an effect; None where no number would."""
    if not before_bad or chance(before_bad, before_total, 0, _MOST) > CHANCE:
        return None
    low, high = 0, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        if chance(before_bad, before_total, 0, middle) > CHANCE:
            low = middle
        else:
            high = middle
    return high


def occurrence(bad: int, total: int) -> int:
    """The rating from 2 to 10 that so many faults of so many ask for.

    Without a fault, what may be behind it counts: no fault of ten is not "never".
    """
    share = bad / total if bad and total else most(bad, total)
    return next((rating for least, rating in _OCCURRENCE if share * 1000 >= least), 2)


def detection(outside: int, inside: int) -> int | None:
    """The rating from 2 to 10 for so many found by customers and so many found by us.

    Nothing escapes: 2; everything does: 10; a rating for each eighth between them. None where so
    few were found that one more would change it by far.
    """
    found = outside + inside
    if found < _FEWEST_FOUND:
        return None
    return 2 + math.ceil(8 * outside / found)


def _ways(of: int, taken: int) -> float:
    """Logarithm of the number of ways to take so many of so many."""
    return math.lgamma(of + 1) - math.lgamma(taken + 1) - math.lgamma(of - taken + 1)


def _at_most(bad: int, total: int, share: float) -> float:
    """How likely so many faults or fewer are, each one being a fault with this chance."""
    yes, no = math.log(share) if share > 0 else -math.inf, math.log1p(-share)
    return math.fsum(
        math.exp(_ways(total, n) + (n * yes if n else 0.0) + (total - n) * no)
        for n in range(bad + 1)
    )
