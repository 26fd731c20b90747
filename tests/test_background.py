"""Threads of the editor: what they bring, how they are cancelled, and that no fault is silent."""

import threading

import pytest
from helpers_editor import wait

from nodeflow.editor.background import Cancelled, Job, Latest, Service


def test_a_job_brings_its_result_or_raises_what_went_wrong():
    job = Job("counting", lambda _progress: 3)
    assert job.done(None)
    assert job.result() == 3

    def fails(_progress):
        raise ValueError("no such number")

    job = Job("counting", fails)
    assert job.done(None)
    with pytest.raises(ValueError, match="no such number"):
        job.result()


def test_a_job_that_is_cancelled_ends_where_it_reports_its_progress():
    gate, reached = threading.Event(), []

    def work(progress):
        progress(1, 4)
        gate.wait(10)
        progress(2, 4)
        reached.append("the end")

    job = Job("waiting", work)
    wait(lambda: job.share == "25 %")
    job.cancel()
    gate.set()
    assert job.done(None)
    with pytest.raises(Cancelled):
        job.result()
    assert reached == []


def test_of_what_is_asked_for_again_and_again_the_newest_matters():
    gate, begun = threading.Event(), []
    latest = Latest("numbers", pause=0.0)

    def asked(number):
        def work():
            begun.append(number)
            gate.wait(10)
            return number

        latest.ask(work)
        latest.poll()

    for number in range(5):
        asked(number)
    wait(lambda: begun)
    assert latest.busy
    gate.set()
    found = []
    wait(lambda: found.append(latest.poll()) or not latest.busy)
    assert [number for number in found if number is not None] == [0, 4]
    assert begun == [0, 4]


def test_a_fault_of_what_is_asked_for_is_raised_where_it_is_looked_for_and_the_next_one_comes():
    latest = Latest("numbers", pause=0.0)
    latest.ask(lambda: 1 // 0)
    latest.poll()
    with pytest.raises(ZeroDivisionError):
        wait(lambda: latest.poll() is not None)
    latest.ask(lambda: 7)
    assert wait(latest.poll) == 7


def test_a_loop_is_closed_and_leaves_no_thread():
    before, done = threading.active_count(), []

    def work():
        while not loop.closed:
            with loop.changed:
                loop.wait(lambda: False, None)
        done.append("ended")

    loop = Service("waiting", work)
    loop.start()
    assert loop.alive
    loop.close()
    loop.close()
    assert done == ["ended"]
    assert loop.fault() == ""
    assert threading.active_count() == before


def test_a_fault_that_ends_a_loop_is_reported_once():
    def work():
        raise MemoryError("no more")

    loop = Service("failing", work)
    loop.start()
    wait(lambda: not loop.alive)
    assert (
        loop.fault()
        == "a fault in nodeflow itself (MemoryError: no more); the graph is kept, save it"
    )
    assert loop.fault() == ""
    loop.close()
