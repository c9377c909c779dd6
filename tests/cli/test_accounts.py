"""`fechatter user` and `fechatter invite`, on an installation that runs."""

import subprocess
import sys

import httpx2

from tests.support.stack import Stack
from tests.support.waiting import PATIENCE_S


def give(stack: Stack, password: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fechatter", "user", *words, "--password-stdin"],
        env=stack.environment,
        cwd=stack.folder,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def sign_in(stack: Stack, password: str) -> int:
    form = {"email": "root@accounts.example", "password": password}
    return httpx2.post(f"{stack.api_url}/api/auth/signin", json=form, timeout=PATIENCE_S).status_code


def test_the_operator_makes_suspends_and_readmits_an_account_and_invites(shared_stack: Stack) -> None:
    stack, email = shared_stack, "root@accounts.example"
    made = give(stack, "correct horse", "create-admin", email, "--name", "Root", "--workspace", "Accounts")
    assert made.returncode == 0, made.stderr
    assert "correct horse" not in made.stdout + made.stderr
    assert give(stack, "correct horse", "create-admin", email, "--name", "Root").returncode == 1
    assert give(stack, "short", "reset-password", email).returncode == 1
    assert sign_in(stack, "correct horse") == 200
    assert stack.command("user", "suspend", email).stdout == f"{email} is suspended\n"
    assert sign_in(stack, "correct horse") == 403
    assert stack.command("user", "unsuspend", email).stdout == f"{email} is active\n"
    assert give(stack, "battery staple", "reset-password", email).returncode == 0
    assert (sign_in(stack, "correct horse"), sign_in(stack, "battery staple")) == (401, 200)
    assert f"Active\t{email}\t@root" in stack.command("user", "list").stdout
    assert stack.command("user", "suspend", "nobody@accounts.example").returncode == 1
    workspace_id = made.stdout.split("workspace ")[1].split()[0]
    link = stack.command("invite", "--workspace", workspace_id, "--role", "guest").stdout.strip()
    assert link.startswith(f"{stack.api_url}/invite/")
