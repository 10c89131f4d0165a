"""Sample ratio mismatch: do arms lose posts unequally on their way to a mature value?

Facts: experiments §2.8; Lindon and Malek, arXiv 2011.03567. A Dirichlet prior of concentration
100 around the planned shares against those shares: a Bayes factor valid at any time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONCENTRATION = 100.0
WARN_AT = 100.0


def srm_e_value(counts: Sequence[int], shares: Sequence[float] | None = None) -> float:
    """Evidence against ``shares`` (equal ones by default); 1 where nothing was counted.

    A ratio beyond floating point answers the largest float: still a finite number.
    """
    p = list(shares) if shares else [1 / len(counts)] * len(counts)
    total = sum(counts)
    log_e = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + total)
    for count, share in zip(counts, p, strict=True):
        prior = CONCENTRATION * share
        log_e += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return math.exp(min(log_e, 709.0))
