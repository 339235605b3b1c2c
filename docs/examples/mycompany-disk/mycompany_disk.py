# mycompany_disk.py
import shutil

from mpsdoctor.check import Finding, Remedy

id = "disk"
title = "Free disk space"
needs = ()


def run(context):
    free = shutil.disk_usage("/").free
    yield {"free_bytes": free}
    if free < 10 * 2**30:
        remedy = Remedy("Remove old checkpoints.", ("du -sh checkpoints",))
        yield Finding("DISK101", "warning", "less than 10 GiB free", evidence={"free_bytes": free}, remedy=remedy)
