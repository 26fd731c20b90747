// Within an update: nodes are evaluated one by one, or up to one of them at once.

function beginUpdate(run) {
  const { machine, schedule, at } = run;
  machine.place(schedule.epoch(at.update));
  if (schedule.endsEpoch(at.update)) machine.stats.fill(0, 0, 4);
  run.begun = machine.stats.slice();
  run.before = machine.state.slice();
}

function executeRows(run, begin, end, pass) {
  const { schedule, at } = run;
  run.machine.execute("ops", begin, end, {
    first: schedule.row(at.update, pass), samples: schedule.samples(at.update), number: pass, count: schedule.bounds(at.update)[1],
  });
}

function endPass(run) {
  const several = run.schedule.passes(run.at.update) > 1;
  run.at.tallies = Array.from(run.machine.stats.subarray(0, 4), (sum, at) => (several ? sum - run.begun[at] : 0));
}

/** Evaluate the nodes of this update up to a place of a pass at once. */
function runTo(run, pass, place) {
  const { data, schedule, at } = run, { order, head } = schedule, { spans } = data;
  if (!run.within) beginUpdate(run);
  let begin = at.place ? spans[at.place - 1][1] : 0;
  const end = place ? spans[place - 1][1] : 0;
  if (at.place < head) {
    for (let number = at.pass; number <= pass; number++) {
      const whole = number < pass || place >= head;
      executeRows(run, begin, whole ? data.head : end, number);
      if (whole) {
        endPass(run);
        for (let each = 0; each < head; each++) at.seen.add(order[each]);
      }
      begin = 0;
    }
  }
  if (place > head || (place === head && place === order.length)) {
    executeRows(run, Math.max(begin, data.head), place === order.length ? data.ops.length : end, pass);
  }
  for (let each = 0; each < place; each++) at.seen.add(order[each]);
  Object.assign(at, { pass, place });
}

/** Go on to a place of the present update, or to its end; where numbers go bad, find the node. */
function goOn(run, pass, place) {
  const { at, schedule, data, machine } = run, over = place === schedule.order.length;
  if (pass === at.pass && place === at.place) return;
  if (pass === at.pass && place === at.place + 1) stepNode(run);
  else {
    const { update } = at;
    runTo(run, pass, place);
    if (data.trains && !(over ? run.sound : machine.finite)) {
      returnTo(run, update);
      while (at.update === update && (at.pass < pass || (at.pass === pass && at.place < place))) stepNode(run);
      return;
    }
  }
  if (over && at.place === schedule.order.length) endUpdate(run);
  else if (at.place === schedule.head && at.pass + 1 < schedule.passes(at.update)) Object.assign(at, { pass: at.pass + 1, place: 0 });
}

/** Evaluate one node. Raises an error where a number that is not finite would spoil parameters. */
function stepNode(run) {
  const { at, schedule, data } = run, { order, head } = schedule, { place, pass, update } = at, key = order[place];
  runTo(run, pass, place + 1);
  if (data.trains && run.needed.has(key)) {
    const outputs = Object.keys(data.slots).filter((address) => nodeOf(address) === key);
    const bad = outputs.find((address) => !areFinite(run.value(address).flat()));
    if (bad !== undefined && !comesToNothing(run)) {
      const what = run.value(bad).flat().some(Number.isNaN) ? "NaN" : "Infinity";
      const where = `epoch ${schedule.epoch(update)}, sample ${schedule.row(update, pass)}, ${schedule.phases[place]}`;
      returnTo(run, update);
      if (place || pass) runTo(run, pass, place);
      throw new Error(`${what} first appeared in '${bad}' (${where}); lower the learning rate, scale the data, or check the node's inputs`);
    }
  }
  if (place + 1 === order.length) endUpdate(run);
  else if (place + 1 === head && pass + 1 < schedule.passes(update)) Object.assign(at, { pass: pass + 1, place: 0 });
}

function comesToNothing(run) {
  const { machine, at } = run, cells = machine.cells.slice(), stats = machine.stats.slice();
  machine.stats.set(run.begun);
  machine.update(run.schedule, at.update);
  const { sound } = run;
  machine.cells.set(cells);
  machine.stats.set(stats);
  return sound;
}

function executeUpdate(run, update) {
  const { machine, at, schedule } = run;
  run.begun = machine.stats.slice();
  run.before = machine.state.slice();
  if (schedule.endsEpoch(update)) run.begun.fill(0, 0, 4);
  at.update = update;
  machine.update(schedule, update);
  endPass(run);
}

function endUpdate(run) {
  const { update } = run.at;
  putIterate(run, update);
  if (!run.sound) {
    returnTo(run, update);
    throw outOfRange(run, update);
  }
  arriveAt(run, update + 1);
  if (run.schedule.endsEpoch(update + 1)) run.keep(update + 1);
}

function outOfRange(run, update) {
  return new Error(`the numbers left the range of ${run.machine.single ? "float32" : "float64"} in update ${update}; lower the learning rate, or scale the data`);
}

function arriveAt(run, update) {
  if (run.schedule.endsEpoch(update)) {
    const epoch = run.schedule.epoch(update), line = run.machine.summary();
    if (run.log.length < epoch) run.log[epoch - 1] = line;
  }
  standAfter(run, update);
}

function standAfter(run, update) {
  Object.assign(run.at, { update, pass: 0, place: 0, shown: update - 1, once: true });
  putOwn(run);
}
