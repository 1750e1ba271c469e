"""Why a record was refused: a closed list of codes, each with the mend. Values never appear, only names of fields."""

from __future__ import annotations

from enum import StrEnum


class RejectCode(StrEnum):
    """Each code has a row in `docs/rejects.md` and a test."""

    EMPTY_VALUE = "empty_value"
    NOT_UTF8 = "not_utf8"
    HEADER_NOT_UTF8 = "header_not_utf8"
    KEY_NOT_UTF8 = "key_not_utf8"
    BROKEN_JSON = "broken_json"
    NOT_AN_EVENT = "not_an_event"
    UNKNOWN_TYPE = "unknown_type"
    NOT_ON_THIS_TOPIC = "not_on_this_topic"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_CODE = "unknown_code"
    OUT_OF_RANGE = "out_of_range"
    BAD_FORMAT = "bad_format"
    BAD_TIME = "bad_time"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    TOO_LARGE = "too_large"
    CONFLICTING_REVISION = "conflicting_revision"
    NIBRS_TRUNCATED = "nibrs_truncated"
    NIBRS_LENGTH = "nibrs_length"
    NIBRS_SEGMENT = "nibrs_segment"
    NIBRS_FIELD = "nibrs_field"
    NIBRS_ORPHAN = "nibrs_orphan"
    XML_BROKEN = "xml_broken"
    XML_FORBIDDEN = "xml_forbidden"
    ROW_LENGTH = "row_length"
    ROW_DATE = "row_date"
    ROW_VALUE = "row_value"
    ROW_CONFLICT = "row_conflict"
    ANOTHER_AGENCY = "another_agency"
    KIND_NOT_ALLOWED = "kind_not_allowed"
    IN_FUTURE = "in_future"


REJECTED_TYPE = "ipvi.record.rejected.v1"
"""`ce_type` on reject topics. No model: the value is the refused record's own bytes."""

REJECT_HEADERS: dict[str, str] = {
    "ce_specversion": "1.0",
    "ce_type": REJECTED_TYPE,
    "ce_source": "where it was read from",
    "ce_id": "its place there: the same place is the same reject",
    "reject-topic": "of a record: topic it was read from",
    "reject-partition": "of a record: partition",
    "reject-offset": "of a record: offset",
    "reject-file": "of a file that intake read: its name",
    "reject-line": "of a file: line, from 1",
    "reject-cut-from": "of a file: how many bytes it had, where the topic could not take them all",
    "reject-code": "why, as a code of the list",
    "reject-field": "which field is wrong, empty where none is to blame",
    "reject-mend": "what to do about it",
}
"""Headers of a reject and what they say. The refused record's own follow, each as `original-<name>`."""

MENDS: dict[RejectCode, str] = {
    RejectCode.EMPTY_VALUE: "send the event's JSON as the record's value",
    RejectCode.NOT_UTF8: "encode the body as UTF-8",
    RejectCode.HEADER_NOT_UTF8: "encode every ce_ header as UTF-8",
    RejectCode.KEY_NOT_UTF8: "use the offender_id, in UTF-8, as the record's key",
    RejectCode.BROKEN_JSON: "send one whole JSON object; the text breaks off or is not JSON",
    RejectCode.NOT_AN_EVENT: "send a CloudEvents 1.0 event: ce_ headers and JSON data, or structured JSON",
    RejectCode.UNKNOWN_TYPE: "use a type of docs/contract.md",
    RejectCode.NOT_ON_THIS_TOPIC: "send this type on the topic docs/contract.md gives for it",
    RejectCode.MISSING_FIELD: "add the field",
    RejectCode.WRONG_TYPE: "send the field as the type docs/contract.md gives, not as text",
    RejectCode.UNKNOWN_CODE: "use a code of the field's list in docs/contract.md",
    RejectCode.OUT_OF_RANGE: "bring the field within its limits in docs/contract.md",
    RejectCode.BAD_FORMAT: "write the field in the form docs/contract.md gives",
    RejectCode.BAD_TIME: "write the time as RFC 3339 with a zone, as in 2025-01-10T22:00:00Z",
    RejectCode.MISSING_KEY: "use the offender_id as the record's key",
    RejectCode.KEY_MISMATCH: "key, subject and the data's offender must be the same offender_id",
    RejectCode.TOO_LARGE: "send at most 256 KiB an event",
    RejectCode.CONFLICTING_REVISION: "give changed content a higher revision",
    RejectCode.NIBRS_TRUNCATED: "send the whole segment; the line ends before its declared length",
    RejectCode.NIBRS_LENGTH: "give the segment one of the lengths of the FBI specification for its level",
    RejectCode.NIBRS_SEGMENT: "use a segment level 0 to 7",
    RejectCode.NIBRS_FIELD: "write the field as the FBI specification gives it",
    RejectCode.NIBRS_ORPHAN: "send the administrative segment (level 1) of the incident first",
    RejectCode.XML_BROKEN: "send well-formed XML; what follows is read again from the next report on",
    RejectCode.XML_FORBIDDEN: "send XML without a document type and without entities of its own",
    RejectCode.ROW_LENGTH: "give the row as many fields as the header has; close every quote",
    RejectCode.ROW_DATE: "write the date or time in a form the mapping file gives, or add the form to it",
    RejectCode.ROW_VALUE: "use a value the mapping file knows, or add this one to it",
    RejectCode.ROW_CONFLICT: "make the rows of one incident, or the dates of one row, agree",
    RejectCode.ANOTHER_AGENCY: "send an agency's records with that agency's credential",
    RejectCode.KIND_NOT_ALLOWED: "send it with a credential, or in a folder, whose `kinds` names this kind",
    RejectCode.IN_FUTURE: "give the time at which it was; set the sender's clock",
}


class InvalidRecord(ValueError):  # noqa: N818 (a record, not the program, is in error)
    """This record can never be applied as it is; it goes to rejects. Permanent, never retried."""

    def __init__(self, code: RejectCode, field: str | None = None) -> None:
        self.code = code
        self.field = field
        super().__init__(f"{code}{f' in {field}' if field else ''}: {MENDS[code]}")
