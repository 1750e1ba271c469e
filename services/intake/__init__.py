"""Intake: every agency's feed to the incident stream. Over HTTP, from watched folders, by `ipvi ingest`.

Consumes files and requests. Emits `ipvi.restricted.incidents.v1`, and with what a feed holds of people
`ipvi.internal.offenders.v1` and `ipvi.restricted.victims.v1`; what it refuses goes to `ipvi.restricted.intake-rejects.v1`.
Stores what it has said of each person, what records know offenders by and which of them are one man, what is still to go
out, who is held in each jail, and how each feed stands. It only produces: it has no lanes.
"""
