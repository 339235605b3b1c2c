import shutil
from types import SimpleNamespace

import mycompany_disk


def test_a_full_disk_is_told(monkeypatch):
    """Below 10 GiB there is a finding, with what to do."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**30))
    facts, finding = mycompany_disk.run(context=None)
    assert facts == {"free_bytes": 2**30}
    assert (finding.code, finding.severity, finding.remedy.commands) == ("DISK101", "warning", ("du -sh checkpoints",))


def test_room_enough_is_no_finding(monkeypatch):
    """The figure is a fact all the same."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=2**40))
    assert list(mycompany_disk.run(context=None)) == [{"free_bytes": 2**40}]
