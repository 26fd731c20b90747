// Going back: a checkpoint before is restored, and what followed is executed again.

function putOwn(run) {
  const { update } = run.at, entry = run.kept.upTo(update);
  if (entry.own && entry.update === update) run.machine.state.set(entry.state);
  if (run.changes.some((change) => change.update === update)) putChanges(run, update);
}

/** Put constants in place as they are from an update on. */
function putChanges(run, update) {
  const { machine } = run;
  machine.putConstants(run.constants);
  for (const change of run.changes) if (change.update <= update) machine.putConstants(change.constants);
}

/** Go on from other weights or settings: what was known of the run after this moment is forgotten. */
function branchOff(run, address, value) {
  const { update } = run.at;
  run.events = [...run.events.filter(([at, other]) => at < update || (at === update && other !== address)), [update, address, value]];
  run.kept.forgetFrom(update);
  run.changes = run.changes.filter((each) => each.update <= update);
  run.keep(update, true);
  run.log.length = Math.min(run.log.length, run.schedule.epoch(update));
}

function replay(run, begin, end) {
  const { machine, schedule, data } = run;
  while (begin < end) {
    if (data.minimize) {
      machine.update(schedule, begin);
      putIterate(run, begin);
      begin++;
      continue;
    }
    const next = Math.min(end, begin + updatesWithRoom(run, begin));
    machine.train(schedule, begin, next);
    begin = next;
  }
}

/** How many updates from one on have room for their lines of history. */
function updatesWithRoom(run, begin) {
  const { perEpoch } = run.schedule;
  return (run.machine.lines - 1) * perEpoch + (perEpoch - (begin % perEpoch));
}

function restore(run, entry) {
  run.machine.state.set(entry.state);
  run.machine.stats.set(entry.stats);
  putChanges(run, entry.update);
}

function returnTo(run, target) {
  const { machine, at } = run, before = Math.max(target - 1, 0);
  const entry = run.kept.upTo(before);
  if (!machine.finite || target === 0) machine.clear(run.constants);
  restore(run, entry);
  replay(run, entry.update, before);
  if (target > 0) {
    executeUpdate(run, before);
    putIterate(run, before);
    standAfter(run, target);
  } else {
    Object.assign(at, { update: 0, pass: 0, place: 0, shown: 0, once: false, tallies: [0, 0, 0, 0] });
    at.seen.clear();
  }
}

/** Stand at the start of an update, or of the last one before it that is known. */
function approach(run, target) {
  const { at } = run, last = run.kept.last.update;
  if (target === at.update && !run.within) return;
  const nearer = target <= last && run.kept.upTo(target - 1)?.update > at.update;
  if (target <= at.update || nearer) return returnTo(run, target);
  finishUpdate(run);
  if (at.update < last && last < target) returnTo(run, last);
}

function finishUpdate(run) {
  if (run.within) goOn(run, run.schedule.passes(run.at.update) - 1, run.schedule.order.length);
}

/** The iterations of `minimize` were found by SciPy: the weights after each are put in place. */
function putIterate(run, update) {
  const found = run.data.minimize;
  if (!found) return;
  if (run.own || run.written.size || run.given.size || run.seed !== run.data.seed) throw new Error("this page has the iterations of minimize for its own start only; reset() goes back to it");
  const iterates = found.iterates, now = iterates[Math.min(update + 1, iterates.length - 1)];
  if (update + 1 >= iterates.length && !found.ended) throw new Error(`this page has ${iterates.length - 1} iterations of minimize`);
  let at = 0;
  for (const key of found.addresses) {
    const [offset, rows, cols] = run.data.slots[key], size = Math.max(rows, 1) * cols;
    run.machine.cells.set(now.slice(at, at + size), offset);
    at += size;
  }
}
