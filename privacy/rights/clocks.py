"""By when a request must be answered (RIGHTS-7)."""

from __future__ import annotations

from datetime import datetime

from dateutil.relativedelta import relativedelta


def answer_due(made_at: datetime) -> datetime:
    """One calendar month after the request (GDPR Art. 12(3)); 31 January is answered by the end of February."""
    return made_at + relativedelta(months=1)
