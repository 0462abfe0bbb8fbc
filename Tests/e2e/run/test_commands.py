"""Commands that are mistyped."""
import pytest

pytestmark = pytest.mark.asan


@pytest.mark.parametrize("typed, meant", [
    (["helth"], "health"), (["chek"], "check"), (["Health"], "health"), (["captur", "--json"], "capture"), (["relais"], "relay"),
    (["setings", "CAMERA_IP"], "settings"), (["drian"], "drain")])
def test_the_nearest_command_is_named(snapshot, typed, meant):
    result = snapshot.run(*typed).expect(64)
    assert result.stderr == f"snapshot: error: there is no command '{typed[0]}'\nsnapshot: hint: did you mean snapshot {meant}?\n"
    assert result.stdout == ""


@pytest.mark.parametrize("typed", ["frobnicate", "x" * 9000, "hea\x1blth\nx", "/etc/snapshot/snapshot.env"])
def test_nothing_near(snapshot, typed):
    result = snapshot.run(typed).expect(64)
    assert "there is no command" in result.stderr and len(result.stderr) < 300 and "\x1b" not in result.stderr
    assert len(result.stderr.splitlines()) == 2


def test_the_parsers_own_words_stay(snapshot):
    assert "SUBCOMMANDS" in snapshot.run("help").expect(0).stdout
    assert "USAGE" in snapshot.run("help", "health").expect(0).stdout
    assert "see snapshot health --help" in snapshot.run("health", "--jsn").expect(64).stderr
