"""Intake: files of incidents (NIBRS flat files, CloudEvents lines) to the incident stream.

Consumes files. Emits `ipvi.restricted.incidents.v1`, and with what a feed holds of people `ipvi.internal.offenders.v1`
and `ipvi.restricted.victims.v1`; what it refuses goes to `ipvi.restricted.intake-rejects.v1`. Stores nothing: it reads
a file from its start, and the same file gives the same event ids.
"""
