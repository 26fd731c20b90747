// Full speed: whole chunks of updates in one call of the kernel.

const CHUNK_MS = 30; // how long a chunk takes, so that the page goes on to answer

/** Train to the start of an update, at once. */
function trainTo(run, target) {
  let chunk = 256;
  while (run.at.update < target) chunk = trainChunk(run, target, chunk);
}

/** Train a chunk; return how long the next one should be. */
function trainChunk(run, target, chunk) {
  const begun = performance.now(), { at, data } = run;
  const end = Math.min(at.update + Math.min(chunk, updatesWithRoom(run, at.update)), target, run.kept.nextOwn(at.update));
  if (data.minimize) {
    executeUpdate(run, at.update);
    endUpdate(run);
    return chunk;
  }
  trainUpTo(run, end);
  const spent = performance.now() - begun;
  return spent < CHUNK_MS / 2 ? chunk * (spent > CHUNK_MS / 8 ? 2 : 8) : spent > 2 * CHUNK_MS ? Math.max(1, chunk >> 1) : chunk;
}

function trainUpTo(run, end) {
  const { machine, schedule, at, data } = run, begin = at.update;
  const first = schedule.epoch(begin) + 1, count = Math.max(0, schedule.epoch(end - 1) + 1 - first);
  const good = { update: begin, state: machine.state.slice(), stats: machine.stats.slice() };
  if (end - 1 > begin) machine.train(schedule, begin, end - 1);
  for (let line = 0; line < count; line++) {
    const numbers = Array.from(machine.history.subarray(4 * line, 4 * line + 4));
    if (data.trains && data.hasCost && !Number.isFinite(numbers[0])) findDivergence(run, good, schedule.startOfEpoch(first + line).update);
    if (run.log.length < first + line) run.log[first + line - 1] = numbers;
  }
  executeUpdate(run, end - 1);
  if (!run.sound) findDivergence(run, good, end);
  for (let line = 0; line < count; line++) {
    const update = schedule.startOfEpoch(first + line).update, before = run.kept.last.update;
    if (update > before) {
      const state = machine.states.slice(line * data.state, (line + 1) * data.state);
      run.kept.all.push({ update, state, stats: new Float64Array(8), own: false });
    }
  }
  arriveAt(run, end);
  run.keep(end);
}

/** Go back to the update in which NaN or Infinity appeared, and stand before the node at fault. */
function findDivergence(run, good, end) {
  const { machine } = run;
  let begin = good.update;
  while (end - begin > 1) {
    const middle = (begin + end) >> 1;
    restore(run, good);
    replay(run, begin, middle);
    if (run.sound) {
      begin = middle;
      good = { update: begin, state: machine.state.slice(), stats: machine.stats.slice() };
    } else end = middle;
  }
  machine.clear(run.constants);
  restore(run, good);
  run.kept.forgetFrom(begin + 1);
  run.log.length = Math.min(run.log.length, run.schedule.epoch(begin));
  run.keep(begin, run.kept.last.update === begin && run.kept.last.own);
  returnTo(run, begin);
  while (run.at.update === begin) stepNode(run); // it throws at the node
  returnTo(run, begin);
  throw outOfRange(run, begin);
}

/** Train whole epochs, in chunks between which the page goes on to answer. */
async function trainEpochs(run, epochs, progress = () => {}) {
  requireCount("epochs", epochs);
  run.stop();
  finishUpdate(run);
  const begin = run.at.update, target = run.schedule.startOfEpoch(run.epoch + epochs).update, mine = (run.training = {});
  let chunk = 256;
  try {
    while (run.at.update < target && run.training === mine) {
      chunk = trainChunk(run, target, chunk);
      progress((run.at.update - begin) / (target - begin));
      await new Promise(soon);
    }
  } finally {
    if (run.training === mine) run.training = null;
  }
}
