"""The generated secrets: made once, for their owner alone."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from fechatter import config
from fechatter.config import Auth, ConfigError, Settings, secret_file


def test_the_signing_key_is_made_on_the_first_run_and_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = config.prepare(settings).auth.signing_key
    assert len(first.encode()) >= 32
    assert config.prepare(settings).auth.signing_key == first
    path = tmp_path / "data" / "secrets" / "signing_key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_configured_signing_key_is_not_replaced(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, auth=Auth(signing_key="k" * 32))
    assert config.prepare(settings).auth.signing_key == "k" * 32
    assert not (tmp_path / "secrets").exists()


def test_two_folders_never_share_a_key(tmp_path: Path) -> None:
    assert secret_file(tmp_path / "one", "key") != secret_file(tmp_path / "two", "key")


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(secret_file, [tmp_path] * 16, ["signing_key"] * 16))
    assert len(set(found)) == 1
    assert os.listdir(tmp_path / "secrets") == ["signing_key"]


def test_a_key_that_others_could_read_is_closed_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = secret_file(tmp_path, "signing_key")
    path = tmp_path / "secrets" / "signing_key"
    path.chmod(0o644)
    assert secret_file(tmp_path, "signing_key") == key
    assert path.stat().st_mode & 0o777 == 0o600
    told = capsys.readouterr().err
    assert "could be read by others (mode 644)" in told
    assert key not in told


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    secret_file(tmp_path, "signing_key")
    (tmp_path / "secrets" / "signing_key").write_text("short")
    with pytest.raises(ConfigError, match="is damaged"):
        secret_file(tmp_path, "signing_key")


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"^the folder .*/file cannot be written: it is not a folder; choose another"):
        config.prepare(Settings(data_dir=tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"^the folder .* cannot be written: "):
        config.prepare(Settings(data_dir=Path("/proc/fechatter")))
