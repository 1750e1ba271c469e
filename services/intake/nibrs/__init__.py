"""NIBRS flat files (FBI technical specification, segments 0 to 7): each incident or arrest report is a unit.

`layout` is the specification's columns as data, `segments` reads one line, `reports` puts lines together, `incident`
makes typed facts of them, `arrests` finds out who was arrested, `events` says what follows; `reader` is the way in. `xml` makes
the same facts of the FBI's XML form.
"""

from services.intake.nibrs.reader import read_nibrs
from services.intake.nibrs.xml import read_nibrs_xml

__all__ = ["read_nibrs", "read_nibrs_xml"]
