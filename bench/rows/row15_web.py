"""Row 15: the web client in Chromium, against the budgets that it was promised to keep.

Somebody in 1,000 chats, one of them with 5,000 messages, on a screen of 1280 by 800; the whole program and the browser
share the machine. Figures: JavaScript over the wire until the first message is shown; from the click on a chat to the
frame that shows it; from a key to the frame that shows its letter, at the pace of who types fast, from that first
message on; the time between frames while 5,000 messages are scrolled through; what 9,000 live messages leave in memory
after a first 1,000; what Lighthouse says.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Literal

from msgspec import Struct
from playwright.async_api import Browser

from bench.browser import Window, browser
from bench.figures import CannotMeasure, Case, Plan, Row
from bench.lighthouse import audit
from bench.stage import LIMITS, say
from tests.clients.api import Api, Person
from tests.clients.shapes import Chat
from tests.support.stack import Stack

CHATS, HISTORY, LIVE, WARM = 1_000, 5_000, 9_000, 1_000
AT_ONCE = 50
SWITCHES, KEYS, KEYS_PER_S, SCROLL_S = 20, 60, 12, 4
KIB, MIB = 1024, 1024 * 1024
WORDS = "the engine turns and its wheels say **numbers** that nobody has read before, `1, 1, 2, 3, 5` and so on " * 2

SWITCH = """async (count) => {
  const frame = () => new Promise(requestAnimationFrame);
  const links = [...document.querySelectorAll('nav a[href^="/chats/"]')].slice(1, count + 1);
  const times = [];
  for (const link of links) {
    const log = document.querySelector('[role=log]');
    const began = performance.now();
    link.click();
    for (;;) {
      await frame();
      const now = document.querySelector('[role=log]');
      if (now && now !== log && now.querySelector('[role=article]')) break;
    }
    await frame();
    times.push(performance.now() - began);
  }
  return times;
}"""
LISTEN = """(count) => {
  window.echoes = new Promise((resolve) => {
    const times = [];
    document.querySelector('textarea').addEventListener('keydown', (event) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => times.push(performance.now() - event.timeStamp) === count && resolve(times);
        port2.postMessage(null);
      });
    });
  });
}"""
SCROLL = """async (seconds) => {
  const log = document.querySelector('[role=log]');
  const times = [];
  let last = await new Promise(requestAnimationFrame);
  const end = last + seconds * 1000;
  while (last < end) {
    log.scrollTop -= 60;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""


class World(Struct, frozen=True):
    stack: Stack
    ada: Person
    bob: Person
    chat: Chat


def measure(plan: Plan) -> Iterator[Case]:
    return iter(asyncio.run(_measure(plan)))


async def _measure(plan: Plan) -> list[Case]:
    cases = _cases()
    with tempfile.TemporaryDirectory(prefix="fechatter-bench-") as name:
        stack = _start(Path(name))
        try:
            async with Api(stack.api_url) as api, browser() as running:
                world = await _world(stack, api)
                for number in range(1, plan.rounds + 1):
                    await _round(world, running, cases)
                    say(f"round {number}: " + ", ".join(f"{case.name} {case.ours[-1]:,.1f}" for case in cases[:5]))
                await _score(world, cases[5:])
        finally:
            stack.stop()
    return [case for case in cases if case.ours]


def _start(folder: Path) -> Stack:
    folder.chmod(0o711)
    return Stack.start(folder, **LIMITS)


def _cases() -> list[Case]:
    def case(name: str, unit: str, good: float, goal: float, better: Literal["more", "less"] = "less") -> Case:
        return Case(
            row=15, name=name, against="a budget", unit=unit, good=good, goal=goal, kind="figure", better=better
        )

    return [
        case("JavaScript to first message", "KiB over the wire", 150, 120),
        case("chat switch, 1,000 chats", "ms, median", 150, 100),
        case("key to echo, 5,000 messages", "ms, median", 32, 16),
        case("frame while scrolling", "ms, 95th percentile", 34, 17),
        case("left by 9,000 live messages", "MiB", 8, 2),
        case("Lighthouse performance", "of 100", 90, 95, "more"),
        case("Lighthouse accessibility", "of 100", 90, 95, "more"),
    ]


async def _world(stack: Stack, api: Api) -> World:
    say(f"making {CHATS:,} chats and {HISTORY:,} messages")
    ada = await api.sign_up("Ada Lovelace")
    bob = await api.sign_up("Bob Kahn", invite=(await ada.invite()).code)
    chats = [await ada.create_chat("PublicChannel", f"channel {number}", [bob]) for number in range(CHATS)]
    for chat in chats[: SWITCHES * 2]:
        await _say(bob, chat, 30)
    await _say(bob, chats[0], HISTORY)
    return World(stack, ada, bob, chats[0])


async def _say(person: Person, chat: Chat, count: int) -> None:
    for start in range(0, count, AT_ONCE):
        many = range(start, min(count, start + AT_ONCE))
        await asyncio.gather(*(person.post(chat, f"{number}: {WORDS[: 20 + number * 37 % 180]}") for number in many))


async def _round(world: World, running: Browser, cases: Sequence[Case]) -> None:
    scripts, switch, echo, frame, memory = cases[:5]
    window = await Window.open(running, world.stack.api_url, world.ada, f"/chats/{world.chat.id}")
    scripts.add(window.scripts() / KIB)
    echoes = await _type(window)
    echo.add(median(echoes), note=f"95th percentile {_p95(echoes):.1f} ms")
    frames = await window.measure(SCROLL, SCROLL_S)
    frame.add(_p95(frames), note=f"median {median(frames):.1f} ms, longest {max(frames):.0f} ms")
    switches = await window.measure(SWITCH, SWITCHES)
    switch.add(median(switches), note=f"slowest {max(switches):.0f} ms")
    await window.close()
    memory.add(*await _live(world, running))


async def _type(window: Window) -> list[float]:
    await window.page.get_by_role("textbox", name="Message").focus()
    await window.measure(LISTEN, KEYS)
    for number in range(KEYS):
        await window.page.keyboard.press("abcdefghij"[number % 10])
        await asyncio.sleep(1 / KEYS_PER_S)
    return await window.measure("() => window.echoes")


async def _live(world: World, running: Browser) -> tuple[float, None, str]:
    newest = (await world.ada.history(world.chat, "?limit=1"))[0]
    # Who has something unread is shown that, and stays there.
    (await world.ada.ask("POST", f"/api/chats/{world.chat.id}/read", {"seq": newest.seq})).nothing()
    window = await Window.open(running, world.stack.api_url, world.ada, f"/chats/{world.chat.id}")
    await _hear(world, window, WARM)
    before, nodes = await window.heap(), await window.nodes()
    await _hear(world, window, LIVE)
    after, nodes_after = await window.heap(), await window.nodes()
    await window.close()
    note = f"from {before / MIB:.1f} to {after / MIB:.1f} MiB, DOM nodes {nodes:,} to {nodes_after:,}"
    return max(0.0, (after - before) / MIB), None, note


async def _hear(world: World, window: Window, count: int) -> None:
    """Other people say this many things while one looks; returns when the last one is on the screen."""
    await _say(world.bob, world.chat, count)
    last = await world.bob.post(world.chat, f"that was {count}, {asyncio.get_running_loop().time()}")
    await window.page.locator(f'[data-id="{last.id}"]').wait_for(timeout=120_000)


async def _score(world: World, cases: Sequence[Case]) -> None:
    """Without Lighthouse, or with a machine too busy for it, the other figures still stand."""
    try:
        scores = await audit(world.stack.api_url, world.ada, f"/chats/{world.chat.id}")
    except CannotMeasure as problem:
        say(str(problem))
        return
    cases[0].add(scores.performance, note=scores.note)
    cases[1].add(scores.accessibility, note=scores.note)


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1]


ROW = Row(15, "The web client in Chromium", measure)
