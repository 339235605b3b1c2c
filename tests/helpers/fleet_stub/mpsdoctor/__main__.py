"""A check-up that takes as long, and ends as, FLEET_STUB says: JSON with `report` (its file), `seconds`, `fault`,
`begun` (a file that it makes), `wait` (one that it waits for)."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

plan = json.loads(os.environ["FLEET_STUB"])
output = Path(sys.argv[sys.argv.index("--output") + 1])
Path(plan["begun"]).touch()
print("chip: Chip and operating system", file=sys.stderr, flush=True)
if plan.get("wait"):  # all ranks end at the same moment
    while not Path(plan["wait"]).exists():
        time.sleep(0.02)
until = time.monotonic() + plan["seconds"]
if plan["fault"] == "killed":
    time.sleep(plan["seconds"])
    os.kill(os.getpid(), signal.SIGKILL)
if plan["fault"] == "stopped":
    os.kill(os.getpid(), signal.SIGSTOP)
while time.monotonic() < until:
    time.sleep(min(0.2, plan["seconds"]))
    print("build: importing torch", file=sys.stderr, flush=True)
if plan["fault"] == "schema":
    document = {**json.loads(Path(plan["report"]).read_text()), "schema_version": 2}
    output.write_text(json.dumps(document))
elif plan["fault"] == "garbage":
    output.write_bytes(b"\x80\x04\x95 no JSON" * 100)
elif plan["fault"] == "silent":
    sys.exit(5)
else:
    shutil.copyfile(plan["report"], output)
