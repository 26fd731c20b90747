// Plays an engine: any moment is computed when it is asked for.

const LONGEST_LOG = 400; // steps in the log
const MOST_POINTS = 1000; // of a curve
const MOST_FUTURES = 4; // that are kept beside the present one

/** The run of an engine, as `mount` plays it. */
function live(run, index) {
  const stopsAt = new Set();
  let condition = null, futures = [];
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
    if (stopsAt.size) {
      for (let each = number + 1; each < end; each++) if (stopsAt.has(schedule.order[schedule.position(each).place])) return each;
    }
    return end;
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
    const [, hits, , apart] = line, percent = (share) => `${(100 * share).toFixed(1)} %`;
    return [Number.isFinite(hits) ? `accuracy ${percent(hits)}` : "", Number.isFinite(apart) ? `of test rows ${percent(apart)}` : "", index.sampled].filter(Boolean).join(", ");
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

  /** Go on pass by pass until a condition is true; return whether it came to be. */
  async function until(test, epochs, progress) {
    requireCount("epochs", epochs);
    const end = run.schedule.number(run.schedule.startOfEpoch(run.epoch + epochs)), mine = (run.training = {});
    let was = test(run), begun = performance.now();
    while (run.number < end && run.training === mine) {
      run.seek(run.schedule.position(run.schedule.after("sample", run.number)));
      const is = test(run);
      if (is && !was) return true;
      was = is;
      if (performance.now() - begun > 30) {
        progress();
        await new Promise(soon);
        begun = performance.now();
      }
    }
    return false;
  }

  return {
    at, now, pass, boundary, curve, last, note, leave, swap, until, stopsAt, endless: true,
    costAt: () => run.knownCost() ?? undefined,
    next: () => run.schedule.order[run.at.place],
    stops: () => condition !== null && condition(run),
    get futures() { return futures; },
    set condition(test) { condition = test; },
  };
}

function equal(a, b) {
  if (!Array.isArray(a)) return Object.is(a, b);
  return Array.isArray(b) && a.length === b.length && a.every((each, at) => equal(each, b[at]));
}

/** Read a condition such as "cost < 0.1", "test_accuracy >= 0.95", "epoch == 100", "hidden.z[0,1] > 2". */
function conditionOf(words, run) {
  const found = /^\s*([^\s<>=![\]]+)\s*(?:\[\s*(\d+)\s*(?:,\s*(\d+)\s*)?\])?\s*(<=|>=|==|!=|<|>)\s*(-?[\d.]+(?:e[+-]?\d+)?)\s*$/i.exec(words);
  if (!found) throw new Error(`"${words}" is no condition: write one such as cost < 0.1, accuracy > 0.95 or hidden.z[0,1] > 2`);
  const [, name, i, j, sign, typed] = found, number = Number(typed);
  const lineAt = (column) => () => run.log[run.epoch - 1]?.[column];
  const known = {
    cost: () => run.knownCost(), epoch: () => run.epoch, update: () => run.at.update,
    accuracy: lineAt(1), train_accuracy: lineAt(1), test_cost: lineAt(2), test_accuracy: lineAt(3),
  };
  if (!Object.hasOwn(known, name) && !Object.hasOwn(run.data.slots, name)) {
    throw new Error(`there is no value '${name}'${nearest(name, [...Object.keys(known), ...Object.keys(run.data.slots)])}`);
  }
  const read = known[name] ?? (() => {
    if (!run.hasValue(name)) return null;
    const value = run.value(name), rows = rowsOf(value);
    if (i === undefined) {
      if (value.flat().length > 1) throw new Error(`'${name}' has several numbers: choose one, such as ${name}[0,0]`);
      return value.flat()[0];
    }
    const picked = j === undefined ? value.flat()[Number(i)] : rows[Number(i)]?.[Number(j)];
    if (picked === undefined) throw new Error(`'${name}' has no number [${[i, j].filter((each) => each !== undefined).join(",")}]`);
    return picked;
  });
  return () => {
    const value = read() ?? NaN;
    return !Number.isNaN(value) && RELATIONS[sign](value, number); // nothing is true of what is not known
  };
}
