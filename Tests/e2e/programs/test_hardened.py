"""How the programs are linked: nothing in them that could be written and run, and no library from beside them."""
import re
import shutil
import subprocess

import pytest

import builds

PROGRAMS = ("snapshot", "snapshot-web")
pytestmark = pytest.mark.skipif(builds.kind() != "release", reason="needs a release build")


def readelf(what, program):
    return subprocess.run(["readelf", "-W", what, builds.binary(program)], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_is_loaded_anywhere(program):
    assert re.search(r"Type: +DYN .Position-Independent Executable", readelf("-h", program))
    assert re.search(r"FLAGS_1.*\bPIE\b", readelf("-d", program))


@pytest.mark.parametrize("program", PROGRAMS)
def test_its_tables_are_read_only_before_it_begins(program):
    assert "GNU_RELRO" in readelf("-l", program)
    assert re.search(r"\(FLAGS\).*BIND_NOW|FLAGS_1.*\bNOW\b", readelf("-d", program))
    # The sections with addresses of code lie in the range that the loader makes read-only.
    begin, size = (int(n, 16) for n in re.search(r"GNU_RELRO +\w+ (\w+) \w+ \w+ (\w+)", readelf("-l", program)).groups())
    for address, length in re.findall(r" \.(?:got|got\.plt|dynamic|init_array) +\w+ +(\w+) \w+ (\w+)", readelf("-S", program)):
        assert begin <= int(address, 16) and int(address, 16) + int(length, 16) <= begin + size


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_writable_and_runnable(program):
    segments = re.findall(r"^ +(\w+) +(?:0x\w+ +){5}([RWE ]{3})", readelf("-l", program), re.M)
    assert "GNU_STACK" in dict(segments)
    assert not [name for name, flags in segments if "W" in flags and "E" in flags]


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_takes_libraries_from_the_system_alone(program):
    assert not re.search(r"RPATH|RUNPATH", readelf("-d", program))
    assert "TEXTREL" not in readelf("-d", program)


# The C shims. Where all sizes are constants the compiler does the checks of _FORTIFY_SOURCE, and nothing in the program
# shows whether it was set. So the sources refuse to compile without it.

SHIMS = sorted((builds.ROOT / "Sources").glob("*/*.c"))


@pytest.mark.skipif(not shutil.which("clang"), reason="needs clang")
@pytest.mark.parametrize("source", SHIMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_shim_is_built_without_checks_of_sizes(source):
    def builds_with(*options):
        command = ["clang", "-fsyntax-only", "-I", source.parent / "include", *options, source]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert builds_with("-O2", "-D_FORTIFY_SOURCE=2") and builds_with("-O2", "-D_FORTIFY_SOURCE=3")
    assert not builds_with("-O2") and not builds_with("-O2", "-D_FORTIFY_SOURCE=1")
    # Debug builds: they have no such checks.
    assert builds_with("-O0")


def test_no_shim_is_built_by_swift():
    """Swift compiles what stands in a header, and not with the options of C."""
    headers = list((builds.ROOT / "Sources").rglob("*.h"))
    assert SHIMS and headers
    assert not [path for path in headers if re.search(r"\binline\b|\)\s*\{", path.read_text())]
