"""Every metric there is. Labels are service names and closed codes, never a person, key or value."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

records = Counter("ipvi_records", "Records worked, by service", ["service"])
events = Counter("ipvi_events", "Events journalled, by service", ["service"])
rejects = Counter("ipvi_rejects", "Records rejected, by service and code", ["service", "code"])
reclaims = Counter("ipvi_lane_reclaims", "Times a lane was claimed again after a step of unknown outcome", ["service"])
decide_failures = Counter("ipvi_decide_failures", "Times deciding a record raised an error", ["service"])
parked = Gauge(
    "ipvi_parked_offenders",
    "Offenders set aside because deciding failed three times, by service and lane; alarm above 0",
    ["service", "lane"],
)
claim_seconds = Histogram("ipvi_lane_claim_seconds", "Duration of a claim", ["service"])
publish_seconds = Histogram("ipvi_publish_seconds", "Duration of a Kafka transaction", ["service"])
lanes_refused = Gauge(
    "ipvi_lanes_refused", "Lanes that are not worked until a person has looked; alarm above 0", ["service"]
)
lanes_running = Gauge("ipvi_lanes_running", "Lanes worked by this replica", ["service"])
_FEED = ["agency", "feed"]
"""An agency is known by its ORI, a feed by its format or mapping."""
intake_silence = Gauge("ipvi_intake_silence_seconds", "Since a feed was last heard, by agency and feed", _FEED)
intake_silent = Gauge(
    "ipvi_intake_silent", "1 where a feed has been silent for longer than it may (no events is not no violence)", _FEED
)
intake_paused = Gauge("ipvi_intake_paused", "1 where a feed is paused for its rejects until a person resumes it", _FEED)
intake_fault = Gauge(
    "ipvi_intake_roster_fault", "1 where the last roster could not be believed: nobody released", _FEED
)
intake_today = Gauge("ipvi_intake_events_today", "Events that came today (UTC)", _FEED)
intake_normal = Gauge("ipvi_intake_events_normal", "Events of a normal day, history loads left out", _FEED)
intake_unusual = Gauge(
    "ipvi_intake_unusual", "1 where yesterday was under a quarter or over four times of a normal day", _FEED
)
intake_rejected = Gauge("ipvi_intake_rejected_today", "Units that were refused today (UTC)", _FEED)
pages = Counter(
    "ipvi_pages", "Calls to whoever is on duty, by service and whether anybody was told", ["service", "result"]
)
partner_outstanding = Gauge(
    "ipvi_partner_notes_outstanding", "What was taken back and the partner has not confirmed, by partner", ["partner"]
)
partner_lapsed = Gauge(
    "ipvi_partner_lapsed", "1 where the subscription has lapsed: nothing leaves but what is to be erased", ["partner"]
)
partner_deliveries = Counter(
    "ipvi_partner_deliveries", "Tries to deliver, by partner: delivered, failed, dead (given up)", ["partner", "result"]
)
partner_waiting = Gauge(
    "ipvi_partner_deliveries_waiting", "Events not delivered yet by webhook or file, by partner", ["partner"]
)
messages = Counter("ipvi_messages", "Messages to victims, by service and what became of them", ["service", "outcome"])
