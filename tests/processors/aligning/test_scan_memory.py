"""The compiled scanner stays within its memory, whatever it reads."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FED = "tests.support.scanner_feed"


@pytest.mark.c
def test_the_scanner_reads_nothing_that_is_not_its_own(tmp_path: Path) -> None:
    """D-3: broken bytes from anybody reach it first; AddressSanitizer and UBSan watch it."""
    compiler = shutil.which("gcc")
    assert compiler, "the sanitizers' libraries come with gcc"
    library = tmp_path / f"_scan{sysconfig.get_config_var('EXT_SUFFIX')}"
    source = ROOT / "processors/aligning/_scan.c"
    include = f"-I{sysconfig.get_path('include')}"
    options = ["-O1", "-g", "-fPIC", "-shared", *SANITIZERS, include]
    subprocess.run([compiler, *options, str(source), "-o", str(library)], check=True)
    preloaded = [_library_of(compiler, name) for name in ("libasan.so", "libubsan.so")]
    environment = {
        **os.environ,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python itself leaks at its end
        "LD_PRELOAD": " ".join(preloaded),
        "PYTHONMALLOC": "malloc",  # each object by itself, so that its ends are watched
    }
    fed = subprocess.run(
        [sys.executable, "-m", FED, str(library)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert fed.returncode == 0, fed.stderr[-3_000:]
    assert int(fed.stdout) > 3_000


def _library_of(compiler: str, name: str) -> str:
    command = [compiler, f"-print-file-name={name}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
