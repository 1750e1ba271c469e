"""His record was merged into another's, or an incident split off: what is kept of her goes with it, lane to lane.

The hold that somebody placed for her, what she said of safe contact, her consents and screens, the tries to reach her, the
visits she is still to be asked after, and that her case was closed, must not end because two records turned out to be one man.
Tasks are opened anew over there, with the clocks they had.
"""

from services.victim_outreach.usecases.moving.giving import handed_over, id_there, passed_on
from services.victim_outreach.usecases.moving.taking import taken_over

__all__ = ["handed_over", "id_there", "passed_on", "taken_over"]
