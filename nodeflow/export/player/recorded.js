// Plays a recording: its steps lie in the page in chunks, opened when they are needed.

const ROWS = 400; // steps in the log
const KEPT = 12; // chunks that stay unpacked

/** The recorded run of a page, as `mount` plays it; `unpacked` opens a chunk by its name. */
function recording(run, unpacked) {
  const chunks = new Map();

  function chunk(number) {
    const found = chunks.get(number) ?? unpacked(`chunk-${number}`);
    chunks.delete(number);
    chunks.set(number, found); // the last one used is the last one dropped
    if (chunks.size > KEPT) chunks.delete(chunks.keys().next().value);
    return found;
  }

  const spanAt = (step) => lastUpTo(run.spans, step, (span) => span[0]);

  /** What a step was, every value after it, and the values that it replaced. */
  async function momentOf(number) {
    const which = lastUpTo(run.chunks, number), first = run.chunks[which];
    const { before, steps } = await chunk(which);
    const values = new Map(Object.entries(before)), replaced = new Map();
    for (let at = first; at <= number; at++) {
      const [place, changed] = steps[at - first];
      for (const port in changed) {
        const address = `${run.order[place]}.${port}`;
        if (at === number) replaced.set(address, values.get(address));
        values.set(address, changed[port]);
      }
    }
    const [place, , formula, remark] = steps[number - first];
    const left = new Set(run.order.slice(place + 1));
    const age = (key) => (place + 1 < run.order.length && left.has(key) && !run.lasting.includes(key) ? "from the pass before" : "");
    return { ...toldOf(number, place, formula, remark), values, replaced, age };
  }

  function toldOf(number, place, formula, remark) {
    const [, update, sample, phase, where] = run.spans[spanAt(number)];
    const epoch = Math.floor(update / run.perEpoch);
    return { number, epoch, update, sample, phase: run.phases[phase], node: run.order[place], where, formula, remark };
  }

  /** The first step after a change of phase, sample, update or epoch, before or behind a step. */
  function boundary(number, level, way) {
    if (level === "step") return Math.max(0, Math.min(run.steps - 1, number + way));
    const keyOf = ([, update, sample, phase]) => ({
      phase: `${update} ${sample} ${phase}`, sample: `${update} ${sample}`,
      update: `${update}`, epoch: `${Math.floor(update / run.perEpoch)}`,
    })[level];
    const startOf = (at) => {
      while (at > 0 && keyOf(run.spans[at - 1]) === keyOf(run.spans[at])) at--;
      return at;
    };
    let at = spanAt(number);
    if (way < 0) {
      const start = startOf(at);
      return run.spans[run.spans[start][0] < number ? start : startOf(Math.max(start - 1, 0))][0];
    }
    const key = keyOf(run.spans[at]);
    while (at < run.spans.length && keyOf(run.spans[at]) === key) at++;
    return at < run.spans.length ? run.spans[at][0] : run.steps - 1;
  }


  /** Which epochs there are to see, if they are not all. */
  const note = (() => {
    const [first, last] = [run.spans[0], run.spans.at(-1)].map(([, update]) => Math.floor(update / run.perEpoch));
    if (!run.whole) return `recorded up to ${run.spans.at(-1)[4].split(" · ").slice(0, 2).join(", ")}`;
    const which = run.sparse ? `, the first sample of each ${run.level}` : "";
    if (first === 0 && last >= run.epochs - 1) return which && `recorded${which}`;
    return (first === last ? `epoch ${first} of ${run.epochs} recorded` : `epochs ${first} to ${last} of ${run.epochs} recorded`) + which;
  })();

  /** The steps of the pass that a step is in; of a long one those around it. */
  async function pass(number) {
    const at = spanAt(number), same = (span) => span && span[1] === run.spans[at][1] && span[2] === run.spans[at][2];
    let from = at, to = at;
    while (same(run.spans[from - 1])) from--;
    while (same(run.spans[to + 1])) to++;
    let first = run.spans[from][0], end = run.spans[to + 1]?.[0] ?? run.steps;
    if (end - first > ROWS) {
      first = Math.max(first, number - (number % (ROWS / 2)) - ROWS / 2);
      end = Math.min(end, first + ROWS);
    }
    const which = lastUpTo(run.chunks, first), { steps } = await chunk(which); // a pass is in one chunk
    const found = [];
    for (let step = first; step < end; step++) {
      const [place, , formula] = steps[step - run.chunks[which]];
      found.push({ number: step, node: run.order[place], phase: run.phases[run.spans[spanAt(step)][3]], formula });
    }
    return { key: `${first} ${end}`, steps: found };
  }

  async function at(number) {
    const moment = await momentOf(number), ahead = lastUpTo(run.chunks, number) + 1;
    if (ahead < run.chunks.length && !chunks.has(ahead)) chunk(ahead);
    return moment;
  }

  /** The costs of the steps; of many epochs their means, since samples differ more than epochs do. */
  function curve() {
    const epochOf = ([, update]) => Math.floor(update / run.perEpoch);
    const begun = run.spans.filter((span, place) => place === 0 || epochOf(span) !== epochOf(run.spans[place - 1]));
    const epochs = begun.map(([step]) => step), finite = (run.means.length ? run.means : run.costs).filter(([, cost]) => Number.isFinite(cost));
    const group = Math.max(1, finite.length / (epochs.length >= 8 ? Math.min(epochs.length, 500) : 500));
    const points = [];
    for (let from = 0; from < finite.length; from += group) {
      const some = finite.slice(Math.round(from), Math.max(Math.round(from + group), Math.round(from) + 1));
      if (some.length) points.push([some[some.length >> 1][0], some.reduce((sum, [, cost]) => sum + cost, 0) / some.length]);
    }
    if (points.length > 1) {
      points.unshift([0, points[0][1]]);
      points.push([run.steps - 1, points.at(-1)[1]]);
    }
    return { epochs, lines: [{ points, kind: "cost" }] };
  }

  /** The number of the first step that evaluates a node in a sample's pass; -1 if none does. */
  async function find(epoch, sample, node) {
    for (const [number, update, row] of run.spans) {
      if (Math.floor(update / run.perEpoch) !== epoch || row !== sample) continue;
      const which = lastUpTo(run.chunks, number), { steps } = await chunk(which);
      const end = run.spans[spanAt(number) + 1]?.[0] ?? run.steps;
      for (let step = number; step < end; step++) if (run.order[steps[step - run.chunks[which]][0]] === node) return step;
    }
    return -1;
  }

  return {
    at, pass, boundary, curve, find, endless: false,
    last: () => run.steps - 1,
    note: () => note,
    next: () => null,
    stops: () => false,
    costAt: ({ number }) => run.costs[lastUpTo(run.costs, number, ([step]) => step)]?.[1],
  };
}

/** What a page offers to scripts. */
function recordedApi(run, source, view) {
  return {
    steps: run.steps, goto: view.goto, play: view.play, pause: view.pause, show, find: source.find,
    value: (address) => view.now.values.get(address),
    get step() {
      const { number, epoch, update, sample, phase, node, formula, remark, where } = view.now;
      return { number, epoch, update, sample, phase, node, formula, remark, place: `${where} · ${node}` };
    },
    get playing() { return view.playing; },
    opened: performance.now(),
  };
}
