"""Equal processes that share a folder get different slots, and a dead one's slot is free again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.slots import MOST_SLOTS, SlotClaim
from schemas.errors import StackError

ROOT = Path(__file__).resolve().parents[2]
BECOMES_ANOTHER_PROGRAM = (
    "import os, pathlib, sys\n"
    "from deploy.slots import SlotClaim\n"
    "slot = SlotClaim(pathlib.Path(sys.argv[1]), 'align').slot\n"
    "program = f'print({slot}, flush=True); input()'\n"
    "os.execv(sys.executable, [sys.executable, '-c', program])\n"
)


def test_the_lowest_slot_that_is_free_is_taken(tmp_path: Path) -> None:
    claims = [SlotClaim(tmp_path, "align") for _ in range(3)]
    assert [claim.slot for claim in claims] == [0, 1, 2]
    claims[1].release()
    assert SlotClaim(tmp_path, "align").slot == 1


def test_stages_do_not_take_each_others_slots(tmp_path: Path) -> None:
    first, second = SlotClaim(tmp_path, "align"), SlotClaim(tmp_path, "store")
    assert (first.slot, second.slot) == (0, 0)


def test_a_slot_stays_claimed_by_the_program_that_a_process_becomes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BECOMES_ANOTHER_PROGRAM, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        other = SlotClaim(tmp_path, "align")
        assert other.slot == 1
        process.kill()
        process.wait()
    assert SlotClaim(tmp_path, "align").slot == 0


def test_when_all_slots_are_taken_it_says_so(tmp_path: Path) -> None:
    claims = [SlotClaim(tmp_path, "align") for _ in range(MOST_SLOTS)]
    with pytest.raises(StackError, match=f"all {MOST_SLOTS} slots of align"):
        SlotClaim(tmp_path, "align")
    for claim in claims:
        claim.release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot claim a slot") as caught:
        SlotClaim(tmp_path / "file", "align")
    assert str(tmp_path) in caught.value.message
