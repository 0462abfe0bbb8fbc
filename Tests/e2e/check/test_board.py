"""The board's heat and supply, in `check`, in the metrics and on the page. What the kernel tells is made up: a folder stands
where /sys is, for the program alone."""

import html
import re
import socket

import pytest
from checking import Checked, settings_of, simulated  # noqa: F401
from prometheus_client.parser import text_string_to_metric_families
from web import Web, record, state, write_ring  # noqa: F401

BOARDS = {
    "cool": ({"class/thermal/thermal_zone0": {"type": "cpu-thermal", "temp": "48312"}},
             "passed", "48.3 °C (cpu-thermal)", None, {"temperature_celsius": 48.312}),
    "hot": ({"class/thermal/thermal_zone0": {"type": "gpu", "temp": "61000"},
             "class/thermal/thermal_zone1": {"type": "soc\x1b[31m", "temp": "83250"}},
            "failed", "83.3 °C", "heat sink", {"temperature_celsius": 83.25}),
    "weak supply": ({"class/thermal/thermal_zone0": {"type": "cpu-thermal", "temp": "-4500"},
                     "devices/platform/soc/soc:firmware": {"get_throttled": "50005"}},
                    "failed", "-4.5 °C (cpu-thermal), slowed down, the power supply's voltage is too low", "cable",
                    {"temperature_celsius": -4.5, "undervoltage": True}),
    "alarm": ({"class/hwmon/hwmon1": {"name": "rpi_volt", "in0_lcrit_alarm": "0"}},
              "passed", "the power supply is steady", None, {"undervoltage": False}),
    "silent": ({}, "skipped", "no sensor reports", None, {}),
}


def inside(folder, files):
    """A prefix of a command that sees `files` as its /sys."""
    (folder / "sys").mkdir()
    for place, texts in files.items():
        (folder / "sys" / place).mkdir(parents=True)
        for name, text in texts.items():
            (folder / "sys" / place / name).write_text(text + "\n")
    return ["unshare", "-m", "sh", "-ec", f"mount --bind '{folder}/sys' /sys; exec \"$0\" \"$@\""]


@pytest.mark.parametrize("name", BOARDS)
def test_check_tells_of_the_board(simulated, snapshot, tmp_path_factory, name):
    files, result, words, hint, facts = BOARDS[name]
    prefix = inside(tmp_path_factory.mktemp("board"), files)
    found = Checked(snapshot.set(**settings_of(simulated)).run("check", "--json", prefix=prefix))
    board = found["board"]
    assert found.code == 0 and board["result"] == result and words in board["found"] and "\x1b" not in board["found"]
    assert (hint is None) == ("hint" not in board) and (hint or "") in board.get("hint", "")
    assert board.get("facts", {}) == facts


def board_metrics(text):
    families = text_string_to_metric_families(text)
    return {one.name.removeprefix("snapshot_board_"): one.samples[0].value for one in families if "_board_" in one.name}


@pytest.mark.parametrize("name", BOARDS)
def test_metrics_tell_of_the_board(state, snapshot, tmp_path, name):
    files, _, _, _, facts = BOARDS[name]
    write_ring(state / "yard", [record(1)])
    write_ring(state / "hall", [record(1)])
    prefix = inside(tmp_path, files)
    told = snapshot.run("health", "--prometheus", "--set", f"STATE_PATH={state}", prefix=prefix)
    assert board_metrics(told.stdout) == facts
    with Web(state, tmp_path, prefix=prefix) as web:
        assert board_metrics(web.get("/metrics").text) == facts
        shown, = re.findall(r"<dt>Host</dt>(.*?)</dd>", web.get("/").text)
    assert f"<strong>{html.escape(socket.gethostname())}</strong>" in shown
    assert ("°C" in shown) == ("temperature_celsius" in facts)
    if "temperature_celsius" in facts:
        assert f"{round(facts['temperature_celsius'])} °C" in shown or name == "weak supply"
    assert ("voltage" in shown) == facts.get("undervoltage", False)
