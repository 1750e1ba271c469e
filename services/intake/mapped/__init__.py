"""Tables that a mapping file explains (CSV, JSON rows): incidents and calls, rosters, court exports, past notices.

`rows` makes rows of a file, `values` reads one row's columns, `charges` says what a charge's text is; then one module a kind.
`reader` is the way in.
"""

from services.intake.mapped.reader import read_mapped

__all__ = ["read_mapped"]
