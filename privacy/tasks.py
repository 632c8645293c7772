"""Every task of the app, by import (see the folders)."""

from privacy.complaints.tasks import advance_ticket_timers as advance_ticket_timers
from privacy.jobs.tasks import perform as perform
from privacy.jobs.tasks import sweep as sweep
from privacy.retention.tasks import purge as purge
from privacy.rights.tasks import begin_due as begin_due
