from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from audit.identifiers import first_uuid7, moment_of, uuid7


def test_uuid7_is_of_version_7_and_holds_the_time():
    made = uuid7()

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5


def test_uuid7_is_strictly_increasing_in_one_thread():
    ids = [uuid7() for _ in range(10_000)]

    assert ids == sorted(set(ids))


def test_uuid7_never_repeats_among_threads():
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda _: [uuid7() for _ in range(1000)], range(8)))

    assert len(set().union(*parts)) == 8000


def test_moment_of_is_the_moment_to_the_millisecond():
    moment = datetime(2026, 2, 28, 23, 59, 59, 999000, tzinfo=UTC)

    assert moment_of(first_uuid7(moment)) == moment
