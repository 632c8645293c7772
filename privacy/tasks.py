"""Every task of the app, by import (see the folders)."""

from privacy.access.approvals.tasks import expire as expire
from privacy.access.oversight.tasks import draw_reviews as draw_reviews
from privacy.access.oversight.tasks import watch_names_opened as watch_names_opened
from privacy.access.oversight.tasks import watch_uses_of_data as watch_uses_of_data
from privacy.alerts.tasks import watch_keys as watch_keys
from privacy.alerts.tasks import watch_wall as watch_wall
from privacy.complaints.tasks import advance_ticket_timers as advance_ticket_timers
from privacy.jobs.tasks import perform as perform
from privacy.jobs.tasks import sweep as sweep
from privacy.retention.tasks import purge as purge
from privacy.rights.tasks import begin_due as begin_due
from privacy.staff_exports.tasks import expire_files as expire_files
