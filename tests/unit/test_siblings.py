"""Processes of one service count together and are shown together, whatever happens to one of them."""

import multiprocessing
import os

from fechatter.siblings import Siblings


def test_each_sees_what_the_others_count_and_not_itself() -> None:
    one, two = _pair()
    one.count("user", 7, 1)
    one.count("user", 7, 1)
    two.count("user", 7, 1)
    two.count("address", "192.0.2.1", 1)
    assert (two.elsewhere("user", 7), one.elsewhere("user", 7)) == (2, 1)
    assert (one.elsewhere("address", "192.0.2.1"), two.elsewhere("address", "192.0.2.1")) == (1, 0)
    one.count("user", 7, -1)
    assert two.elsewhere("user", 7) == 1


def test_counts_of_many_hardly_touch_each_other() -> None:
    one, two = _pair()
    for user in range(5_000):
        one.count("user", user, 1)
    assert sum(two.elsewhere("user", user) != 1 for user in range(5_000)) < 5_000 * 0.1


def test_one_that_begins_anew_has_counted_nothing() -> None:
    descriptor = Siblings.memory(2)
    one, two = Siblings.of(descriptor, 1, 2), Siblings.of(descriptor, 2, 2)
    one.count("user", 7, 1)
    Siblings.of(descriptor, 1, 2)
    assert two.elsewhere("user", 7) == 0


def test_what_one_that_was_killed_had_counted_counts_no_more() -> None:
    descriptor = Siblings.memory(2)
    two = Siblings.of(descriptor, 2, 2)
    process = multiprocessing.get_context("fork").Process(target=_count_and_die, args=(descriptor,))
    process.start()
    process.join()
    assert process.exitcode == 9
    assert two.elsewhere("user", 7) == 0
    assert two.metrics(b"") == b""


def test_metrics_of_all_are_shown_with_their_process() -> None:
    one, two = _pair()
    two.publish(b'# HELP a_total Of a\n# TYPE a_total counter\na_total 3.0\na_total{x="y z"} 4.0\n')
    shown = one.metrics(
        b"# HELP a_total Of a\n# TYPE a_total counter\na_total 1.0\n# HELP b B\n# TYPE b gauge\nb 1.0\n"
    )
    assert shown.decode().splitlines() == [
        "# HELP a_total Of a",
        "# TYPE a_total counter",
        'a_total{process="1"} 1.0',
        'a_total{process="2"} 3.0',
        'a_total{process="2",x="y z"} 4.0',
        "# HELP b B",
        "# TYPE b gauge",
        'b{process="1"} 1.0',
    ]


def test_a_text_that_is_being_written_is_not_shown_torn() -> None:
    descriptor = Siblings.memory(2)
    one, two = Siblings.of(descriptor, 1, 2), Siblings.of(descriptor, 2, 2)
    two.publish(b"# HELP a A\na 1.0\n")
    two._own[-512 * 1024 :][:4] = b"torn"  # pyright: ignore[reportPrivateUsage]
    assert one.metrics(b"") == b""


def test_alone_there_are_no_others() -> None:
    alone = Siblings.alone()
    alone.count("user", 7, 1)
    assert alone.elsewhere("user", 7) == 0
    assert alone.metrics(b"a 1.0\n") == b"a 1.0\n"


def _pair() -> tuple[Siblings, Siblings]:
    descriptor = Siblings.memory(2)
    return Siblings.of(descriptor, 1, 2), Siblings.of(descriptor, 2, 2)


def _count_and_die(descriptor: int) -> None:
    one = Siblings.of(descriptor, 1, 2)
    one.count("user", 7, 1)
    one.publish(b"# HELP a A\na 1.0\n")
    os._exit(9)
