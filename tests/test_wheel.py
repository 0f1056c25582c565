"""The built wheel works outside the repository."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; only the dependencies are borrowed from this one."""
    home = tmp_path_factory.mktemp("wheel")
    source = home / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    ).stdout.decode()
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "wheel", "--no-deps"]
    subprocess.run([*pip, "-w", str(home / "dist"), str(source)], check=True)
    (wheel,) = (home / "dist").glob("*.whl")
    venv.create(home / "env", with_pip=False)
    python = home / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    with zipfile.ZipFile(wheel) as files:  # it is pure: installing it is unpacking it
        assert "Root-Is-Purelib: true" in files.read(_metadata(files)).decode()
        files.extractall(site)
    # A plain path line adds the directory but runs none of its .pth files, so that an editable
    # installation of Tailor in it stays unseen.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _metadata(files: zipfile.ZipFile) -> str:
    (name,) = (name for name in files.namelist() if name.endswith(".dist-info/WHEEL"))
    return name


def test_the_wheel_holds_all_it_needs(installed: Path, tmp_path: Path) -> None:
    def tailor(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [installed, "-m", "tailor.cli.main", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )

    where = subprocess.run(
        [installed, "-c", "import tailor, tailor.stages, tailor.ui; print(tailor.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(ROOT) not in where
    assert tailor("init", "w", "--sample").returncode == 0
    ingested = tailor("ingest", "-w", "w")
    assert ingested.returncode == 0, ingested.stderr
    assert "refused" not in ingested.stderr
    run = tailor("run", "baseline", "-w", "w")
    assert run.returncode == 0, run.stderr
    assert "baseline" in run.stdout
    assert tailor("doctor", "-w", "w").returncode == 0
