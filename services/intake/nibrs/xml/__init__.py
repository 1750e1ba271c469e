"""NIBRS XML (FBI IEPD 4.x): the same facts as the flat file, and so the same events under the same ids.

`parsing` makes a tree of each report; `pieces` cuts a file into them, whatever is broken in it; `elements` makes typed facts of
one, field by field (`fields`); `reader` is the way in.
"""

from services.intake.nibrs.xml.reader import read_nibrs_xml

__all__ = ["read_nibrs_xml"]
