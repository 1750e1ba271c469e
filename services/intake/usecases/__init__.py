"""What intake does: takes units in one transaction each, and brings what it took to the stream."""

from services.intake.usecases.ingesting import Sink, StreamSink, ingest
from services.intake.usecases.sending import Sender, StreamError

__all__ = ["Sender", "Sink", "StreamError", "StreamSink", "ingest"]
