"""Work is done once, by whichever worker comes first, whatever dies on the way."""

import contextlib
import logging
import socket
import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.utils import timezone

from privacy.jobs import actions
from privacy.jobs.actions import perform_job, send, sweep_jobs
from privacy.jobs.errors import TryLater
from privacy.jobs.locks import job_lock
from privacy.jobs.models import Job
from privacy.vault.identifiers import uuid7
from tests.processes import wait_until

LABEL = "privacy.trial"
PERSONAL = "ada@example.org"


def queued(trials, **values):
    job = trials(**values)
    job.save()
    return job


def perform(job):
    perform_job(LABEL, job.pk)
    job.refresh_from_db()
    return job


def fail(job):
    raise ValueError(PERSONAL)


def messages():
    with contextlib.closing(redis.Redis.from_url(settings.BROKER_REDIS_URL)) as client:
        return [message.decode() for message in client.lrange("celery", 0, -1)]


def test_a_job_is_done(trials):
    job = perform(queued(trials))

    assert (job.state, job.progress, job.attempts, job.error) == ("done", 100, 1, "")
    assert job.started_at <= job.finished_at


def test_a_finished_job_is_not_done_again(trials):
    job = perform(queued(trials))

    perform(job)

    assert trials.performed == [job.pk]


def test_an_unknown_id_is_nothing_to_do(trials):
    perform_job(LABEL, uuid7())

    assert trials.performed == []


def test_a_job_is_not_begun_before_it_is_due(trials):
    job = perform(queued(trials, due_at=timezone.now() + timedelta(minutes=1)))

    assert (job.state, trials.performed) == ("queued", [])


def test_try_later_waits_and_is_no_attempt(trials, monkeypatch):
    def later(job):
        raise TryLater(30)

    monkeypatch.setattr(trials, "does", staticmethod(later))
    before = timezone.now()

    job = perform(queued(trials))

    assert (job.state, job.attempts, job.error) == ("queued", 0, "")
    assert timedelta(seconds=29) < job.due_at - before < timedelta(seconds=40)


def test_a_failure_waits_longer_each_time_and_gives_up_at_last(trials, monkeypatch, caplog):
    monkeypatch.setattr(trials, "does", staticmethod(fail))
    job, waits = queued(trials), []

    for _ in range(3):
        trials.objects.filter(pk=job.pk).update(due_at=timezone.now())
        before = timezone.now()
        perform(job)
        waits.append(round((job.due_at - before).total_seconds()))

    assert (job.state, job.attempts, job.error) == ("failed", 3, "ValueError")
    assert waits[:2] == [5, 10]
    assert trials.failed == [job.pk]


@pytest.mark.promise("PROTECT-1")
def test_a_failure_keeps_the_kind_of_error_and_never_its_words(trials, monkeypatch, caplog):
    monkeypatch.setattr(trials, "does", staticmethod(fail))

    with caplog.at_level(logging.DEBUG):
        job = perform(queued(trials))

    assert job.error == "ValueError"
    assert PERSONAL not in caplog.text
    assert "ValueError" in caplog.text


def test_a_failed_job_is_not_done_again(trials, monkeypatch):
    monkeypatch.setattr(trials, "does", staticmethod(fail))
    job = perform(queued(trials, attempts=2))
    assert job.state == "failed"

    perform(job)

    assert len(trials.performed) == 1


def test_a_job_canceled_while_it_waits_is_not_begun(trials):
    job = perform(queued(trials, state=Job.State.CANCELED))

    assert (job.state, trials.performed) == ("canceled", [])


def test_a_job_canceled_while_it_runs_stays_canceled(trials, monkeypatch):
    def cancel(job):
        trials.objects.filter(pk=job.pk).update(state=Job.State.CANCELED)

    monkeypatch.setattr(trials, "does", staticmethod(cancel))

    assert perform(queued(trials)).state == "canceled"


def test_a_job_whose_workers_keep_dying_is_given_up(trials):
    """Each dead worker leaves the row running with one attempt more."""
    job = perform(queued(trials, state=Job.State.RUNNING, attempts=3))

    assert (job.state, job.error) == ("failed", "WorkerLost")
    assert (trials.performed, trials.failed) == ([], [job.pk])


def test_progress_is_seen_by_others_at_once_and_is_done_only_at_the_end(trials, monkeypatch):
    seen = []

    def report(job):
        for percent in (-5, 40, 100):
            job.report(percent)
            seen.append(trials.objects.get(pk=job.pk).progress)

    monkeypatch.setattr(trials, "does", staticmethod(report))
    perform(queued(trials))

    assert seen == [0, 40, 99]


# One at a time


def test_two_workers_at_once_do_it_once(trials, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def hold(job):
        begun.set()
        assert go_on.wait(20)

    monkeypatch.setattr(trials, "does", staticmethod(hold))
    job = queued(trials)
    first = threading.Thread(target=in_a_worker, args=(job,))
    first.start()
    assert begun.wait(20)

    in_this_worker = perform(job)

    assert in_this_worker.state == "running"
    go_on.set()
    first.join(20)
    job.refresh_from_db()
    assert (job.state, job.attempts, trials.performed) == ("done", 1, [job.pk])


def in_a_worker(job):
    with contextlib.suppress(Exception):
        perform_job(LABEL, job.pk)
    with contextlib.suppress(Exception):
        connections.close_all()


def test_eight_workers_racing_do_it_once(trials):
    job = queued(trials)

    workers = [threading.Thread(target=in_a_worker, args=(job,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert trials.performed == [job.pk]


def test_a_killed_worker_holds_nothing(trials, monkeypatch, owner_connection):
    pids, go_on = [], threading.Event()

    def hold(job):
        if pids:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        go_on.wait(20)

    monkeypatch.setattr(trials, "does", staticmethod(hold))
    job = queued(trials)
    worker = threading.Thread(target=in_a_worker, args=(job,))
    worker.start()
    wait_until(lambda: pids, "the job to begin")
    perform(job)
    assert len(trials.performed) == 1

    with owner_connection("default").cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", pids)
    go_on.set()
    worker.join(20)

    wait_until(lambda: perform(job).state == "done", "the next worker to take it")
    assert len(trials.performed) == 2


def test_the_lock_is_free_again_after_a_job_that_failed(trials, monkeypatch):
    monkeypatch.setattr(trials, "does", staticmethod(fail))
    job = perform(queued(trials))

    assert lock_from_elsewhere(job) == [True]


def lock_from_elsewhere(job):
    taken = []

    def try_lock():
        with job_lock(job.pk) as free:
            taken.append(free)
        connections.close_all()

    other = threading.Thread(target=try_lock)
    other.start()
    other.join(20)
    return taken


# Rows before messages


def test_enqueue_sends_after_the_commit_and_not_after_a_rollback(trials):
    with transaction.atomic():
        kept = trials()
        kept.enqueue()
        assert messages() == []
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        lost = trials()
        lost.enqueue()
        raise ZeroDivisionError

    assert len(messages()) == 1
    assert str(kept.pk) in messages()[0] or "body" in messages()[0]
    assert not trials.objects.filter(pk=lost.pk).exists()


def test_the_sweeper_sends_what_the_broker_lost(trials):
    job = queued(trials, queued_at=timezone.now() - timedelta(minutes=1))

    assert sweep_jobs() == 1
    assert len(messages()) == 1
    job.refresh_from_db()
    assert job.state == "queued"


def test_the_sweeper_sends_what_a_dead_worker_left(trials):
    queued(trials, state=Job.State.RUNNING, attempts=1)

    assert sweep_jobs() == 1


def test_the_sweeper_does_not_pile_up_messages_behind_a_busy_worker(trials):
    job = queued(trials, queued_at=timezone.now() - timedelta(minutes=1))

    assert [sweep_jobs(), sweep_jobs()] == [1, 0]
    trials.objects.filter(pk=job.pk).update(attempts=1, state=Job.State.RUNNING)
    assert sweep_jobs() == 1, "its worker died: that is another turn"
    cache.clear()
    assert sweep_jobs() == 1, "a flushed broker has lost the note with the message"


@pytest.mark.parametrize("values", [
    {"state": Job.State.DONE}, {"state": Job.State.FAILED}, {"state": Job.State.CANCELED},
    {"due_at": timezone.now() + timedelta(hours=1)},
])  # fmt: skip
def test_the_sweeper_leaves_what_is_finished_or_not_due(trials, values):
    queued(trials, queued_at=timezone.now() - timedelta(minutes=1), **values)

    assert sweep_jobs() == 0


def test_the_sweeper_leaves_what_was_sent_just_now(trials):
    queued(trials)

    assert sweep_jobs() == 0


def test_the_sweeper_leaves_what_somebody_holds(trials):
    job = queued(trials, state=Job.State.RUNNING)
    swept = []
    with job_lock(job.pk) as free:
        assert free
        other = threading.Thread(target=lambda: (swept.append(sweep_jobs()), connections.close_all()))
        other.start()
        other.join(20)

    assert swept == [0]


class Relay:
    """Passes a port on to the real broker until it is cut."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.broker = urlsplit(settings.BROKER_REDIS_URL)
        port = self.listener.getsockname()[1]
        named = settings.BROKER_REDIS_URL.replace(f":{self.broker.port}/", f":{port}/")
        self.url = named if self.broker.port else f"redis://127.0.0.1:{port}/0"
        self.ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, far = self.listener.accept()[0], self._reach_broker()
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _reach_broker(self):
        if self.broker.port:
            return socket.create_connection((self.broker.hostname, self.broker.port))
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.broker.path)
        return far

    def _pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)

    def cut(self):
        for end in (self.listener, *self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def broken(app_url, monkeypatch):
    app = Celery("broken", broker=app_url, set_as_current=False)
    app.conf.broker_transport_options = {"max_retries": 0, "socket_connect_timeout": 1}
    monkeypatch.setattr(actions, "current_app", app)
    return app


def test_a_broker_that_is_away_never_breaks_the_caller(trials, monkeypatch, caplog):
    broken("redis://127.0.0.1:1/0", monkeypatch)
    job = queued(trials)

    send(job)

    assert "waits for the sweeper" in caplog.text
    assert str(job.pk) not in caplog.text


def test_a_broker_that_dies_between_two_messages_never_breaks_the_caller(trials, monkeypatch, caplog):
    relay = Relay()
    broken(relay.url, monkeypatch)
    send(queued(trials))
    assert "waits" not in caplog.text

    relay.cut()
    send(queued(trials))

    assert "waits for the sweeper" in caplog.text
