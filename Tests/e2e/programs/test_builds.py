"""A build with a sanitizer can fail a test: it is instrumented, and what it reports is found."""
import re
from pathlib import Path

import pytest

import builds

pytestmark = [pytest.mark.asan, pytest.mark.tsan, pytest.mark.skipif(not builds.is_sanitized(), reason="of a sanitizer")]


def test_it_is_instrumented():
    assert f"__{builds.kind()}_init".encode() in builds.binary("snapshot").read_bytes()


@pytest.mark.parametrize("name", ["ASAN_OPTIONS", "TSAN_OPTIONS"])
def test_what_it_reports_is_found(name):
    where = re.search(r"log_path=([^:]+)", builds.environment()[name])[1]
    Path(where + ".4711").write_text("ERROR: something")
    assert builds.take_reports() == "ERROR: something" and not builds.take_reports()
