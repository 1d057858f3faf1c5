"""One broker per folder, whoever dies first."""

from pathlib import Path

import pytest

from deploy.folder_lock import FolderLock
from deploy.processes import kill, spawn
from schemas.errors import StackError


def test_a_broker_that_outlives_its_parent_still_holds_its_folder(tmp_path: Path) -> None:
    parents = FolderLock(tmp_path)
    broker = spawn(["sleep", "600"], tmp_path / "log", keep_fds=(parents.fd,))
    parents.release()
    with pytest.raises(StackError, match="already runs in"):
        FolderLock(tmp_path)
    kill(broker)
    FolderLock(tmp_path).release()


def test_a_released_folder_can_be_locked_again_and_names_no_process(tmp_path: Path) -> None:
    for pid in (11, 12):
        lock = FolderLock(tmp_path)
        lock.write_pid(pid)
        assert (tmp_path / "kafka.pid").read_text(encoding="ascii") == f"{pid}\n"
        lock.release()
        assert (tmp_path / "kafka.pid").read_text(encoding="ascii") == ""
