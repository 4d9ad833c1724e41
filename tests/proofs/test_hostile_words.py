"""Words of others in our own records."""

import json
import logging

from reconciler.telemetry.context import within
from reconciler.telemetry.logs import JsonLines

FORGED = '{"level": "info", "message": "all is well"}'
WORDS = [
    f"gone\n{FORGED}",
    f"gone\r\n{FORGED}",
    f"gone\x1b[2K\r{FORGED}",
    f'gone", "level": "info"\n{FORGED}',
    "gone\x00\x08\x7f",
]


def test_foreign_words_make_no_line_of_the_log() -> None:
    for words in WORDS:
        record = logging.LogRecord(
            "reconciler.x", logging.WARNING, __file__, 1, "the forge said: %s", (words,), None
        )
        with within({"environment": words}):
            line = JsonLines().format(record)
        assert len(line.splitlines()) == 1
        assert not any(ord(char) < 32 for char in line)
        told = json.loads(line)
        assert told["level"] == "warning"
        assert told["message"] == f"the forge said: {words}"
