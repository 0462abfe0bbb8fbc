"""Which functions a capture calls, for the linker to put side by side; bench/PROFILE.md says what that saves."""
import re
import subprocess

from measuring import Command
from rig import ROOT  # first, since rig adds Tests/kit to sys.path

from simulator import binary

FILE = ROOT / "packaging" / "link" / "order"


def write(rig):
    """Writes FILE from two captures to S3, of which one resumes its TLS session, and one into a folder."""
    program = rig.folder / "with-symbols"
    subprocess.run(["strip", "--strip-debug", "-o", program, binary("snapshot")], check=True)
    symbols = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
    own = {line.split()[-1] for line in symbols.splitlines()}
    to_s3 = rig.snapshot("capture", home="order")
    to_folder = rig.snapshot("capture", home="order-folder", STORAGE_BACKEND="filesystem", LOCAL_STORAGE_PATH=rig.folder / "order-pictures")
    names = dict.fromkeys(name for command in (to_s3, to_s3, to_folder) for name in called(rig, program, command) if name in own)
    FILE.write_text("".join(f"{name}\n" for name in names))
    print(f"{FILE}: {len(names)} functions")


def called(rig, program, command):
    """The functions of `program` in the order of their first call, as callgrind writes them down."""
    out = rig.folder / "callgrind.out"
    command = Command([str(program), *command.arguments[1:]], command.environment, command.folder)
    subprocess.run(["valgrind", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}", *command.arguments],
                   stdin=subprocess.DEVNULL, capture_output=True, env={k: str(v) for k, v in command.environment.items()},
                   cwd=command.folder, check=True)
    # A recursive call has a number behind its name.
    return [re.sub(r"'\d+$", "", name) for name in re.findall(r"^c?fn=\(\d+\) (\S+)$", out.read_text(), re.M)]
