"""What `fechatter load` makes of a file."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fechatter.config import Settings
from fechatter.domain.errors import OperatorError
from tests.integration.load.corpus import OWNER, ask, do, history, line, load, sign_up_owner, write
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
COUNTS = """
    SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM chats), (SELECT count(*) FROM chat_members),
           (SELECT count(*) FROM users), (SELECT count(*) FROM events), (SELECT count(*) FROM workspace_members)
"""
# Chats whose numbers have gaps, or whose log tells something else than their rows.
BROKEN = """
    SELECT c.id FROM chats c
    WHERE c.last_seq <> (SELECT count(*) FROM messages m WHERE m.chat_id = c.id)
       OR c.last_seq <> (SELECT coalesce(max(seq), 0) FROM messages m WHERE m.chat_id = c.id)
       OR c.last_pos <> (SELECT count(*) FROM events e WHERE e.stream = 'chat:' || c.id)
       OR c.last_pos <> (SELECT coalesce(max(pos), 0) FROM events e WHERE e.stream = 'chat:' || c.id)
       OR c.member_count <> (SELECT count(*) FROM chat_members cm WHERE cm.chat_id = c.id)
       OR 1 <> (SELECT count(*) FROM chat_members cm WHERE cm.chat_id = c.id AND cm.role = 'owner')
       OR EXISTS (SELECT FROM chat_members cm WHERE cm.chat_id = c.id AND NOT EXISTS (
              SELECT FROM events e WHERE e.stream = 'chat:' || c.id AND e.pos = cm.joined_pos
              AND e.type = 'member.added' AND (e.payload->>'user_id')::bigint = cm.user_id))
       OR ARRAY(SELECT m.id FROM messages m WHERE m.chat_id = c.id ORDER BY m.seq) <> ARRAY(
              SELECT e.message_id FROM events e
              WHERE e.stream = 'chat:' || c.id AND e.type = 'message.created' ORDER BY e.pos)
"""


# Whoever stores messages stands still at the second batch, until it may go on.
STAND_STILL = """
    CREATE TABLE standing_still AS SELECT 1;
    CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WHILE EXISTS (SELECT FROM messages) AND EXISTS (SELECT FROM standing_still) LOOP
            PERFORM pg_sleep(0.1);
        END LOOP;
        RETURN NULL;
    END $$;
    CREATE TRIGGER stand_still BEFORE INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION stand_still()
"""
GO_ON = "DELETE FROM standing_still"
SLEEPS = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


def test_lines_become_channels_people_and_messages_with_their_times(settings: Settings, tmp_path: Path) -> None:
    url = settings.server.db_url
    path = write(tmp_path / "history", [line("one"), line("two", author="Alan T", sent_at="2015-03-01T13:00:01+01:00")])
    assert load(settings, path) == 0
    assert ask(url, "SELECT seq, content, created_at FROM messages ORDER BY id") == [
        (1, "one", datetime(2015, 3, 1, 12, tzinfo=UTC)),
        (2, "two", datetime(2015, 3, 1, 12, 0, 1, tzinfo=UTC)),
    ]
    assert ask(url, "SELECT name, type FROM chats") == [("General", "PublicChannel")]
    people = ask(url, "SELECT fullname, username, password_hash FROM users WHERE email LIKE '%.invalid' ORDER BY id")
    assert people == [("grace", "grace", None), ("Alan T", "alan.t", None)]
    assert not ask(url, BROKEN)


def test_a_gzipped_file_is_known_by_its_content(settings: Settings, tmp_path: Path) -> None:
    assert load(settings, write(tmp_path / "history.txt", history(20), gzipped=True)) == 0
    assert ask(settings.server.db_url, COUNTS)[0][:2] == (20, 5)


def test_a_second_run_adds_nothing(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "history", history(300))
    assert load(settings, path) == 0
    before = ask(settings.server.db_url, COUNTS)
    assert load(settings, path) == 0
    assert ask(settings.server.db_url, COUNTS) == before
    assert "300 lines were there before" in capsys.readouterr().out


def test_two_equal_lines_are_one_message_wherever_they_stand(settings: Settings, tmp_path: Path) -> None:
    lines = history(50)
    assert load(settings, write(tmp_path / "history", [*lines, lines[7], lines[7]])) == 0
    assert load(settings, write(tmp_path / "backwards", lines[::-1])) == 0
    assert ask(settings.server.db_url, COUNTS)[0][0] == 50
    assert not ask(settings.server.db_url, BROKEN)


def test_a_file_in_disorder_is_stored_in_the_order_of_its_times(settings: Settings, tmp_path: Path) -> None:
    lines = history(500)
    assert load(settings, write(tmp_path / "history", lines[1::2] + lines[::2])) == 0
    newest_first = (
        "SELECT FROM messages a JOIN messages b USING (chat_id) WHERE a.seq < b.seq AND a.created_at > b.created_at"
    )
    assert not ask(settings.server.db_url, newest_first)
    assert not ask(settings.server.db_url, BROKEN)


def test_rooms_and_authors_that_fold_alike_are_one(settings: Settings, tmp_path: Path) -> None:
    lines = [line("a", room="Straße", author="Zoë"), line("b", room="STRASSE", author="ZOË")]
    assert load(settings, write(tmp_path / "history", lines)) == 0
    assert ask(settings.server.db_url, "SELECT c.name, c.last_seq, c.member_count FROM chats c") == [("Straße", 2, 2)]


def test_the_owner_joins_every_channel_with_nothing_unread(settings: Settings, tmp_path: Path) -> None:
    """Whoever loads a history has not missed it; and its events would only flood a page that is open."""
    owner = sign_up_owner(settings)
    assert load(settings, write(tmp_path / "history", history(100)), owner=None) == 0
    mine = """
        SELECT cm.role, c.last_seq - cm.last_read_seq FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
        WHERE cm.user_id = $1
    """
    assert ask(settings.server.db_url, mine, owner) == [("owner", 0)] * 5
    told = "SELECT type, (payload->>'unread_count')::int FROM events WHERE stream = $1 ORDER BY pos"
    assert ask(settings.server.db_url, told, f"user:{owner}") == [("chat.created", 0)] * 5


def test_each_newcomer_is_told_the_count_to_go_on_from(settings: Settings, tmp_path: Path) -> None:
    """The chat as told, and its member.added events from the newcomer's own on, give the chat as it is."""
    assert load(settings, write(tmp_path / "history", history(100))) == 0
    wrong = """
        SELECT cm.user_id FROM chat_members cm JOIN chats c ON c.id = cm.chat_id
        JOIN events e ON e.stream = 'user:' || cm.user_id AND e.type = 'chat.created' AND e.chat_id = c.id
        WHERE c.member_count <> (e.payload->>'member_count')::int + (
            SELECT count(*) FROM events a
            WHERE a.stream = 'chat:' || c.id AND a.type = 'member.added' AND a.pos >= cm.joined_pos)
        OR c.last_seq <> (e.payload->>'last_seq')::int + (
            SELECT count(*) FROM events a
            WHERE a.stream = 'chat:' || c.id AND a.type = 'message.created' AND a.pos > cm.joined_pos)
    """
    assert ask(settings.server.db_url, "SELECT count(*) FROM events WHERE type = 'chat.created'") == [(60,)]
    assert not ask(settings.server.db_url, wrong)


def test_who_is_suspended_is_not_let_in_by_a_loaded_line(settings: Settings, tmp_path: Path) -> None:
    sign_up_owner(settings)
    assert load(settings, write(tmp_path / "history", [line()])) == 0
    ask(settings.server.db_url, "UPDATE workspace_members SET status = 'Suspended' WHERE role = 'member'")
    assert load(settings, write(tmp_path / "more", [line(room="Other")])) == 0
    assert ask(
        settings.server.db_url,
        "SELECT c.name, count(*) FROM chats c JOIN chat_members cm ON cm.chat_id = c.id GROUP BY 1 ORDER BY 1",
    ) == [
        ("General", 2),
        ("Other", 1),
    ]


def test_the_log_tells_of_new_people_in_the_workspace(settings: Settings, tmp_path: Path) -> None:
    sign_up_owner(settings)
    assert load(settings, write(tmp_path / "history", history(100))) == 0
    url = settings.server.db_url
    told = "SELECT pos, type, payload->>'username' FROM events WHERE stream LIKE 'workspace:%' ORDER BY pos"
    assert {row[1:] for row in ask(url, told)} == {("workspace.member_added", f"person{n}") for n in range(11)}
    assert [row[0] for row in ask(url, told)] == list(range(1, 12))
    assert ask(url, "SELECT last_pos FROM workspaces") == [(11,)]


def test_mentions_of_members_are_stored_as_in_posting(settings: Settings, tmp_path: Path) -> None:
    lines = [line("first", author="ada"), line("hello @Ada. and @nobody", author="bob", sent_at="2015-03-01T12:00:01Z")]
    assert load(settings, write(tmp_path / "history", lines), owner="owner@example.org") == 0
    url = settings.server.db_url
    ada = ask(url, "SELECT id FROM users WHERE username = 'ada'")[0][0]
    assert ask(url, "SELECT mentions FROM messages ORDER BY seq") == [(None,), ([ada],)]
    assert ask(url, "SELECT user_id, seq FROM mentions") == [(ada, 2)]


def test_a_channel_that_exists_goes_on(settings: Settings, tmp_path: Path) -> None:
    sign_up_owner(settings)
    assert load(settings, write(tmp_path / "first", history(40)[:20])) == 0
    assert load(settings, write(tmp_path / "second", history(40))) == 0
    assert ask(settings.server.db_url, COUNTS)[0][:2] == (40, 5)
    assert not ask(settings.server.db_url, BROKEN)


def test_people_of_two_workspaces_are_apart(settings: Settings, tmp_path: Path) -> None:
    """The same nickname elsewhere may be someone else."""
    path = write(tmp_path / "history", history(100))
    assert load(settings, path, "One") == 0
    assert load(settings, path, "Two") == 0
    url = settings.server.db_url
    assert ask(url, COUNTS)[0][:4] == (200, 10, 2 * (55 + 5), 23)
    assert not ask(url, BROKEN)


def test_nobody_who_can_sign_in_is_made_to_say_something(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_up_owner(settings)
    sign_up_owner(settings, "grace@w1.loaded.invalid")
    assert load(settings, write(tmp_path / "history", [line("forged"), line("fine", author="bob")]), "1") == 0
    assert ask(settings.server.db_url, "SELECT content FROM messages") == [("fine",)]
    assert "grace in General" in capsys.readouterr().err


def test_a_private_channel_is_not_loaded_into(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_up_owner(settings)
    path = write(tmp_path / "history", [line(room="Board")])
    assert load(settings, path) == 0
    ask(settings.server.db_url, "UPDATE chats SET type = 'PrivateChannel'")
    assert load(settings, write(tmp_path / "more", [line("new", room="BOARD")])) == 1
    assert "private channel" in capsys.readouterr().err
    assert ask(settings.server.db_url, COUNTS)[0][0] == 1


def test_killed_half_way_it_goes_on(settings: Settings, tmp_path: Path) -> None:
    url = settings.server.db_url
    sign_up_owner(settings)
    path = write(tmp_path / "history", history(12_000))
    environment = os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fechatter", "load", str(path), "--workspace", "Camp"]
    do(url, STAND_STILL)
    running = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    wait_until(lambda: ask(url, SLEEPS), "it is at the second batch")
    running.send_signal(signal.SIGKILL)
    running.wait()
    do(url, GO_ON)
    assert 0 < int(str(ask(url, COUNTS)[0][0])) < 12_000
    assert load(settings, path) == 0
    assert ask(url, COUNTS)[0][:3] == (12_000, 5, 60)
    assert not ask(url, BROKEN)


def test_interrupted_it_ends_in_good_order(settings: Settings, tmp_path: Path) -> None:
    url = settings.server.db_url
    sign_up_owner(settings)
    path = write(tmp_path / "history", history(30_000))
    environment = os.environ | {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fechatter", "load", str(path), "--workspace", "Camp"]
    do(url, STAND_STILL)
    running = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: ask(url, SLEEPS), "it is at the second batch")
    running.send_signal(signal.SIGINT)
    do(url, GO_ON)
    said, _ = running.communicate()
    assert running.returncode == 130
    assert "the same command goes on from here" in said
    assert not ask(url, BROKEN)


def test_a_new_workspace_belongs_to_whom_is_named(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "history", [line()])
    with pytest.raises(OperatorError, match="sign up first, or name its owner"):
        load(settings, path, owner=None)
    assert load(settings, path) == 0
    assert f"Made an account for {OWNER} with the password" in capsys.readouterr().out
    assert load(settings, path, "Other", owner=None) == 0
    assert ask(settings.server.db_url, "SELECT count(*) FROM workspace_members WHERE role = 'owner'") == [(2,)]
    with pytest.raises(OperatorError, match="not an owner"):
        load(settings, path, "Camp", owner="eve@example.org")


def test_a_workspace_is_found_by_id_and_by_name(settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "history", [line()])
    assert load(settings, path, None) == 0
    assert load(settings, path, None) == 0
    assert load(settings, path, "1", owner=None) == 0
    assert load(settings, path, "Second") == 0
    assert ask(settings.server.db_url, "SELECT name FROM workspaces ORDER BY id") == [("History",), ("Second",)]
    with pytest.raises(OperatorError, match="several workspaces"):
        load(settings, path, None)
    with pytest.raises(OperatorError, match="no workspace 77"):
        load(settings, path, "77")
    ask(settings.server.db_url, "UPDATE workspaces SET name = 'Same'")
    with pytest.raises(OperatorError, match=r"Several workspaces are called Same \(1, 2\)"):
        load(settings, path, "Same")
