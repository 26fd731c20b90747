"""Training at full speed: updates, passes and epochs over the rows of a tape.

An update is `passes × head + tail`: the head runs once for each pass over samples, the tail once.
Where the samples of an update are added up one after the other a pass has one sample and there
are as many passes as samples; else there is one pass, of all of them.
"""

from __future__ import annotations

from nodeflow.engine.kernel.language import (
    NAN,
    Cells,
    Context,
    Double,
    Doubles,
    Whole,
    Wholes,
    run_head,
    run_tail,
    run_test,
    shift_right,
    wrap,
)


def shuffle(order: Wholes, rows: Whole, seed: Whole, epoch: Whole) -> None:
    """Put 0 … rows − 1 into the order of an epoch: Fisher and Yates' shuffle, by splitmix64.

    A function of its arguments alone. G. Steele, D. Lea, C. Flood, "Fast Splittable
    Pseudorandom Number Generators", 2014.
    """
    for i in range(rows):
        order[i] = i
    state = wrap(seed * -7046029254386353131 + epoch * -3372029247567499371)
    for i in range(rows - 1, 0, -1):
        state = wrap(state + -7046029254386353131)
        z = state
        z = wrap((z ^ shift_right(z, 30)) * -4658895280553007687)
        z = wrap((z ^ shift_right(z, 27)) * -7723592293110705685)
        z = z ^ shift_right(z, 31)
        # the high 32 bits times (i + 1), shifted down: even for any size below 2³²
        j = shift_right(shift_right(z, 32) * (i + 1), 32)
        other = order[i]
        order[i] = order[j]
        order[j] = other


def mean(stats: Doubles, total: Whole) -> Double:
    """Return what was tallied for one number, NaN where nothing was."""
    count = stats[total + 2]
    return stats[total] / count if count > 0 else NAN


def train(cells: Cells, context: Context) -> None:
    """Run the updates from `begin` to `end`, counted over the whole run.

    After each epoch the test rows are evaluated, and a line of `history` (cost, hits, test cost,
    test hits) and a copy of the first `state` cells are written.
    """
    fed = context.fed
    batch = context.batch
    per_epoch = (fed + batch - 1) // batch
    line = 0
    for number in range(context.begin, context.end):
        within = number % per_epoch
        if within == 0:
            for j in range(4):
                context.stats[j] = 0.0
        if context.shuffled == 1 and (within == 0 or number == context.begin):
            shuffle(context.order, fed, context.seed, number // per_epoch)
        first = within * batch
        left = fed - first
        count = left if left < batch else batch
        context.count = count
        context.tally = 0
        passes = count if context.alone == 1 else 1
        context.samples = 1 if context.alone == 1 else count
        for number_of_pass in range(passes):  # there is one call, so that it can be written out
            context.first = first + number_of_pass
            context.number = number_of_pass
            run_head(cells, context)
        run_tail(cells, context)
        if within + 1 == per_epoch:
            context.history[4 * line] = mean(context.stats, 0)
            context.history[4 * line + 1] = mean(context.stats, 1)
            context.history[4 * line + 2] = NAN
            context.history[4 * line + 3] = NAN
            for j in range(context.state):
                context.states[line * context.state + j] = cells[j]
            if context.test_rows > 0:
                test(cells, context)
                context.history[4 * line + 2] = mean(context.stats, 4)
                context.history[4 * line + 3] = mean(context.stats, 5)
            line = line + 1


def test(cells: Cells, context: Context) -> None:
    """Evaluate the test rows, as many at a time as the tape for it has room for."""
    for j in range(4, 8):
        context.stats[j] = 0.0
    context.tally = 4
    context.number = 0
    end = context.fed + context.test_rows
    first = context.fed
    while first < end:
        left = end - first
        most = context.test_most
        context.first = first
        context.samples = left if left < most else most
        context.count = context.samples
        run_test(cells, context)
        first = first + most
