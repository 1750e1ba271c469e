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
pages = Counter(
    "ipvi_pages", "Calls to whoever is on duty, by service and whether anybody was told", ["service", "result"]
)
messages = Counter("ipvi_messages", "Messages to victims, by service and what became of them", ["service", "outcome"])
