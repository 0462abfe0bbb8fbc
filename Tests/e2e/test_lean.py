"""What the one-shot is made of: libcurl, libcrypto, the system's libraries, and no more of Swift than it needs."""
import subprocess

import pytest

from program import binary

pytestmark = pytest.mark.skipif("debug" in str(binary("snapshot")), reason="of the release build")


def test_it_links_system_libraries_only():
    lines = subprocess.run(["ldd", str(binary("snapshot"))], capture_output=True, text=True, check=True).stdout.splitlines()
    paths = [line.split("=>")[1].split()[0] for line in lines if "=>" in line]
    assert any("/libcurl.so" in p for p in paths) and any("/libcrypto.so" in p for p in paths)
    assert all(p.startswith(("/lib/", "/usr/lib/")) for p in paths), paths
    assert not [p for p in paths if "swift" in p.lower() or "foundation" in p.lower()], paths


def test_neither_full_foundation_nor_a_network_framework_is_in_it():
    symbols = subprocess.run(["nm", str(binary("snapshot"))], capture_output=True, text=True, check=True).stdout
    assert "20FoundationEssentials" in symbols, "the symbols are there to be looked at"
    assert "$s10Foundation" not in symbols and "$s7NIOCore" not in symbols and "$s8NIOPosix" not in symbols
