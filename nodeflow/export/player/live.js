// Plays an engine: any moment is computed when it is asked for.

const LONGEST_LOG = 400; // steps in the log
const MOST_POINTS = 1000; // of a curve
const MOST_FUTURES = 4; // that are kept beside the present one

/** The run of an engine, as `mount` plays it. */
function live(run, index) {
  const stopsAt = new Set();
  const watching = []; // what gives a watched condition: where it becomes true a beat ends
  let futures = [];
  let stop = null, seen = -1; // a condition that somebody typed, and the moment up to which it has been watched
  let came; // the condition that became true in the last beat, null for none; undefined where it was one step
  const cached = new Map();
  let before = { number: -1, values: new Map() };

  /** A value as it is now; the same object as long as its numbers are the same. */
  function get(address) {
    if (!Object.hasOwn(run.data.slots, address) || !run.hasValue(address)) return undefined;
    const old = cached.get(address);
    if (old?.fresh) return old.value;
    const value = run.value(address), same = old && equal(old.value, value);
    cached.set(address, { value: same ? old.value : value, fresh: true });
    return cached.get(address).value;
  }

  const values = { get, has: (address) => get(address) !== undefined };
  const outputsOf = (key) => index.nodes[key]?.outputs.map(([address]) => address) ?? [];

  /** Note what the next step will replace, and go there. */
  function at(number) {
    if (number !== run.number) {
      const next = run.schedule.order[run.at.place];
      before = { number: run.number, values: new Map(outputsOf(next).map((address) => [address, get(address)])) };
      run.stop();
      run.seek(run.schedule.position(number));
    }
    return now();
  }

  function now() {
    for (const entry of cached.values()) entry.fresh = false;
    const { schedule, number } = run;
    const after = number ? schedule.position(number - 1) : null, { update, pass, place } = after ?? { update: 0, pass: 0, place: 0 };
    const node = after ? schedule.order[place] : null, phase = after ? schedule.phases[place] : "forward";
    const sample = schedule.row(update, pass), epoch = schedule.epoch(update);
    return {
      number, epoch, update, sample, phase, node, values, age: (key) => run.age(key),
      where: `${rowsOf(update, sample)} · ${after ? phase : "before the first step"}`,
      formula: node === null ? "" : index.explained.formula(run, place), remark: node === null ? "" : index.explained.remark(run, place),
      shares: node === null ? [] : index.explained.shares(run, place),
      given: (address) => (values.has(address) ? run.givenTo(address) : undefined),
      replaced: before.number === number - 1 ? before.values : new Map(),
    };
  }

  function rowsOf(update, row) {
    const { schedule } = run, samples = schedule.samples(update);
    return `epoch ${schedule.epoch(update)} · ${samples === 1 ? `sample ${row}` : `samples ${row}–${row + samples - 1}`} of ${schedule.rows}`;
  }

  /** The steps of the pass in view; those that lie ahead have no numbers yet. */
  function pass(number) {
    const { schedule } = run, position = schedule.position(Math.max(number - 1, 0)), begin = schedule.number({ ...position, place: 0 });
    const end = schedule.endOfPass(position);
    let from = position.place >= schedule.head ? schedule.head : 0;
    if (position.pass + 1 === schedule.passes(position.update) && schedule.passes(position.update) === 1) from = 0;
    let to = end;
    if (to - from > LONGEST_LOG) {
      from = Math.max(from, position.place - (position.place % (LONGEST_LOG / 2)) - LONGEST_LOG / 2);
      to = Math.min(end, from + LONGEST_LOG);
    }
    const steps = [];
    for (let place = from; place < to; place++) {
      const known = number > 0 && place <= position.place;
      steps.push({
        number: begin + place + 1, node: schedule.order[place], phase: schedule.phases[place],
        formula: known ? index.explained.formula(run, place) : "",
      });
    }
    return { key: `${begin} ${from} ${schedule.batch}`, steps };
  }

  /** Where a beat ends: at the next step, phase, …, or before a node that a person wants to see. */
  function boundary(number, level, way) {
    const { schedule } = run;
    if (way < 0) return schedule.before(level, number);
    const end = schedule.after(level, number);
    const before = firstStop(number, end);
    if (number !== run.number) return before;
    if (stop && seen !== number) stop.begin();
    came = undefined;
    return before > number + 1 ? firstTrue(before) : before;
  }

  function firstStop(number, end) {
    const { schedule } = run;
    for (let each = number + 1; stopsAt.size && each < end; each++) if (stopsAt.has(schedule.order[schedule.position(each).place])) return each;
    return end;
  }

  /** Go on to where one of the watched conditions becomes true, or else to the end of a beat. */
  function firstTrue(end) {
    const watches = [stop, ...watching.map((each) => each())].filter(Boolean);
    if (!watches.length) return end;
    came = search(run, watches, end);
    return came ? run.number : end;
  }

  function last() { return Math.max(index.end, run.number, run.log.length * run.schedule.stepsPerEpoch); }

  /** The cost of each epoch, in this future and in those that were left. */
  function curve() {
    const every = run.schedule.stepsPerEpoch, epochs = [];
    const pointsOf = (log, perEpoch) => {
      const skip = Math.ceil(log.length / MOST_POINTS), points = [];
      for (let at = 0; at < log.length; at++) if (at % skip === 0 || at === log.length - 1) points.push([(at + 1) * perEpoch, log[at]?.[0]]);
      return points;
    };
    if (last() / every <= 400) for (let at = 0; at <= last(); at += every) epochs.push(at);
    return {
      epochs,
      lines: [...futures.map((each) => ({ points: pointsOf(each.log, every), kind: "ghost" })), { points: pointsOf(run.log, every), kind: "cost" }],
    };
  }

  function note() {
    const line = run.log[run.epoch - 1];
    if (!line) return index.sampled;
    const [, hits, , apart] = line, told = (rows, share, count) => (Number.isFinite(share) ? `${rows} ${(100 * share).toFixed(1)} % of ${count}` : "");
    const both = [told("train", hits, run.data.rows), told("test", apart, run.data.apart)].filter(Boolean).join(", ");
    return [both && `accuracy ${both}`, index.sampled].filter(Boolean).join(", ");
  }

  /** Keep the future that a change is about to leave, to be seen beside the new one. */
  function leave(why) {
    if (run.log.length <= run.epoch && !run.log.length) return;
    futures.push({ ...run.snapshot(), why, log: run.log.slice() });
    futures = futures.slice(-MOST_FUTURES);
  }

  /** Change places with a future that was left. */
  function swap(place) {
    const wanted = futures[place], present = { ...run.snapshot(), why: "left", log: run.log.slice() };
    futures[place] = present;
    run.resume(wanted);
  }

  return {
    at, now, pass, boundary, curve, last, note, leave, swap, stopsAt, watching, endless: true,
    costAt: () => run.knownCost() ?? undefined,
    next: () => run.schedule.order[run.at.place],
    /** Whether the condition that was typed became true in the beat that has ended. */
    stops: () => {
      if (!stop) return false;
      seen = run.number;
      return came === undefined ? stop.cameByStep() : came === stop;
    },
    get futures() { return futures; },
    set stop(watch) { stop = watch; seen = -1; },
  };
}

function equal(a, b) {
  if (!Array.isArray(a)) return Object.is(a, b);
  return Array.isArray(b) && a.length === b.length && a.every((each, at) => equal(each, b[at]));
}
