"""One JSON object a line: what happened, with its fields."""

import json
import logging
import sys
from datetime import UTC, datetime

_ROOT = "evenkeel"


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _Stderr(logging.Handler):
    """Writes to whatever standard error is at that moment, which a program may have replaced since the start."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr, flush=True)  # noqa: T201 - standard error is where logs go


def start(level: int = logging.INFO) -> None:
    """Write what the package logs to standard error as JSON lines."""
    handler = _Stderr()
    handler.setFormatter(_Lines())
    logger = logging.getLogger(_ROOT)
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(level)


def event(logger: logging.Logger, name: str, level: int = logging.INFO, **fields: object) -> None:
    """Log `name` with fields. Callers pass no secrets and no endpoint URLs."""
    logger.log(level, name, extra={"fields": fields})
