// What views show: found from the run's numbers, as data.

const PLANE = 64; // places along a side of a plane
const MOST_SEEN = 240; // rows of data in a plane
const MOST_ROWS = 5000; // that are judged for a confusion
const LEAST_SIDE = 4; // of rows that are drawn as squares
const LONGEST_PAST = 1000; // points of a line
const CURVE = 160, FUNCTION = 121; // places along a line
const NEAR = 1e-6; // how far from its point the slope of a function is measured, as a share of the range
const RELIEF = 41; // places along a side of a landscape
const WHOLE = 1e-3; // how far off shares may be that add up to 1
const SLICE_MS = 12; // so long a view computes before the page answers again
const SLOW = new Set(["boundary", "confusion", "curve", "function_plot", "landscape"]); // these ask the network many times

/** The class that outputs choose: the largest, or which side of the middle a single one is. */
const chosen = (outputs, middle) => (outputs.length === 1 ? Number(outputs[0] > middle) : outputs.indexOf(maximum(outputs)));

/** Where two classes meet that one number tells apart. */
function middleOf(targets) {
  if (targets[0].length !== 1) return 0.5;
  const numbers = targets.map(([y]) => y);
  return (minimum(numbers) + maximum(numbers)) / 2;
}

/** So many numbers from one to another, as NumPy's linspace. */
function spaced(from, to, count) {
  return Array.from({ length: count }, (_, at) => (at === count - 1 ? to : at * ((to - from) / (count - 1)) + from));
}

/** What the views of a graph show, in any of its moments. */
function seeing(run, index) {
  const { classes, nodes } = index.views, pasts = new Map(), { answers, costs } = scouting(run);
  let newest = -1, turn = Promise.resolve();

  const known = (address) => Object.hasOwn(run.data.slots, address) && run.hasValue(address);
  const column = (address) => columnOf(run, address);

  /** The numbers that the network is fed with at an address, one row per sample. */
  function fed(address, begin = 0, length = run.data.rows) {
    const { column: from, count } = column(address), { feed } = run.machine, { width } = run.data;
    return Array.from({ length }, (_, at) => (begin + at) * width + from).map((start) => Array.from(feed.subarray(start, start + count)));
  }

  const finders = {
    panel: ({ starts }) => taken(starts),

    table({ starts }) {
      const there = starts.filter(known), parts = there.map((start) => rowsOf(run.value(start)));
      if (!there.length) return null;
      const tall = maximum(parts.map((part) => part.length)), widths = parts.map((part) => part[0].length);
      return {
        columns: there.flatMap((start, at) => Array(widths[at]).fill(start)), parts: widths,
        rows: Array.from({ length: tall }, (_, row) => parts.flatMap((part) => part[row % part.length])),
      };
    },

    dictionary({ starts }) {
      const entries = starts.length ? taken(starts)?.values : run.weights();
      return entries && Object.keys(entries).length ? { entries } : null;
    },

    bars({ starts: [start] }) {
      if (start === undefined || !known(start)) return null;
      const values = rowsOf(run.value(start))[0].map(Number);
      const names = classes.find((each) => each.length === values.length) ?? values.map((_, at) => String(at + 1));
      const least = minimum(values), most = maximum(values), several = values.length > 1 && values.every((each) => each >= 0 && each <= 1);
      const shares = several && Math.abs(values.reduce((sum, each) => sum + each, 0) - 1) < WHOLE;
      return { names, values, shares, best: several && least < most ? names[values.indexOf(most)] : null };
    },

    image({ starts: [start] }) {
      if (start === undefined || !known(start)) return null;
      const values = rowsOf(run.value(start)), side = Math.sqrt(values[0].length);
      if (values.flat().length < 2 || !values.flat().every(Number.isFinite)) return { why: "a picture takes two numbers or more, none of them NaN or Infinity" };
      return { values, side: Number.isInteger(side) && side >= LEAST_SIDE ? side : null };
    },

    plot({ starts }, key) {
      const past = pasts.get(key) ?? new Map();
      const lines = Object.fromEntries(starts.filter((start) => past.get(start)?.length).map((start) => [start, past.get(start)]));
      return Object.keys(lines).length ? { lines } : null;
    },

    async boundary({ inputs, data, classes: named, sides }) {
      for (const port of ["x", "a"]) if (!inputs[port]) return { why: `wire ${port} as well` };
      if (!data && !known(inputs.x)) return null;
      const x = data ? fed(inputs.x) : rowsOf(run.value(inputs.x));
      if (x[0].length !== 2) return { why: `x has ${x[0].length} numbers, not 2` };
      const y = data ? fed(`${data}.y`) : [], ends = [0, 1].map((axis) => {
        const numbers = x.map((row) => row[axis]), least = minimum(numbers), most = maximum(numbers), margin = Math.max((most - least) * 0.2, 1e-6);
        return [least - margin, most + margin];
      });
      const across = spaced(...ends[0], PLANE), down = spaced(ends[1][1], ends[1][0], PLANE);
      const found = await answers(inputs.x, inputs.a, down.flatMap((v) => across.map((u) => [u, v])));
      const outputs = down.map((_, row) => found.slice(row * PLANE, (row + 1) * PLANE));
      const step = Math.ceil(x.length / MOST_SEEN), some = (_, at) => at % step === 0, middle = data ? middleOf(y) : 0.5;
      return {
        low: [ends[0][0], ends[1][0]], high: [ends[0][1], ends[1][1]], outputs, points: data ? x.filter(some) : [],
        classes: y.filter(some).map((row) => chosen(row, middle)),
        names: named.length || outputs[0][0].length > 1 ? named : sides, middle,
      };
    },

    async confusion({ inputs, data, classes: named }) {
      for (const port of ["a", "y"]) if (!inputs[port]) return { why: `wire ${port} as well` };
      if (!data) return { why: "y must come from a data set" };
      const known = Math.min(run.data.rows, MOST_ROWS), apart = Math.min(run.data.apart, MOST_ROWS), { rows: whole } = run.data;
      const asked = [...fed(`${data}.x`, 0, known), ...fed(`${data}.x`, whole, apart)], every = fed(`${data}.y`);
      const outputs = await answers(`${data}.x`, inputs.a, asked), middle = middleOf(every), said = outputs.map((row) => chosen(row, middle));
      const count = Math.max(every[0].length, outputs[0].length, 2), counts = Array.from({ length: count }, () => Array(count).fill(0));
      for (let at = 0; at < known; at++) counts[chosen(every[at], middle)][said[at]]++;
      const right = fed(`${data}.y`, whole, apart).filter((row, at) => chosen(row, middle) === said[known + at]).length;
      const found = { names: named.length === count ? named : counts.map((_, at) => String(at)), rows: "train", counts };
      return apart ? { ...found, test: { right, rows: apart } } : found;
    },

    async curve({ inputs: { x: start, a: goal, y: target }, whole, beyond, why }) {
      if (why) return { why };
      if (!whole && !(known(start) && known(target))) return null;
      const [xs, ys] = whole ? [fed(start), fed(target)] : [rowsOf(run.value(start)), rowsOf(run.value(target))], numbers = xs.flat();
      const [low, high] = [minimum(numbers), maximum(numbers)], more = beyond * (high - low || 1);
      const x = [...new Set([...spaced(low - more, high + more, CURVE), low, high])].sort((a, b) => a - b);
      const found = (await answers(start, goal, [...x, ...numbers].map((number) => [number]))).flat(), outputs = found.slice(0, x.length);
      const squares = ys.map(([y], at) => (found[x.length + at] - y) ** 2);
      return { points: xs.map(([each], at) => [each, ys[at][0]]), x, outputs, reach: [low, high], error: Math.sqrt(meanOf(squares, false)) };
    },

    async function_plot({ inputs: { x: start }, goals, low, high, why }) {
      if (why) return { why };
      if (!known(start)) return null;
      const [[point]] = rowsOf(run.value(start)), step = NEAR * (high - low), x = spaced(low, high, FUNCTION), functions = {};
      for (const goal of goals) {
        const found = await answers(start, goal, [...x, point, point - step, point + step].map((number) => [number]));
        for (const column of found[0].keys()) {
          const line = found.map((row) => row[column]), [value, before, after] = line.slice(-3);
          functions[found[0].length > 1 ? `${goal}[${column}]` : goal] = { curve: line.slice(0, x.length), value, slope: (after - before) / (2 * step) };
        }
      }
      return { at: point, x, functions };
    },

    async landscape({ places, names, low, high, why }) {
      if (why) return { why };
      const weights = places.map(([start, at]) => flat(run.value(start))[at]), line = spaced(low, high, RELIEF), relief = [], cost = await costs(places);
      let begun = performance.now();
      for (const y of line) {
        relief.push(line.map((x) => cost([x, y])));
        if (performance.now() - begun < SLICE_MS) continue;
        await new Promise(soon);
        begun = performance.now();
      }
      const here = cost(weights), minima = [], of = (row, column) => (Number.isFinite(relief[row][column]) ? relief[row][column] : Infinity);
      for (let row = 1; row < RELIEF - 1; row++) for (let column = 1; column < RELIEF - 1; column++) {
        const around = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].filter((dx) => dx || dy).map((dx) => of(row + dy, column + dx)));
        if (around.every((each) => of(row, column) < each)) minima.push({ x: line[column], y: line[row], cost: relief[row][column] });
      }
      return { names, x: line, y: line, costs: relief, point: weights, cost: here, minima: minima.sort((a, b) => a.cost - b.cost) };
    },

    blame_shares({ inputs, layer, before, why }) {
      if (why) return { why };
      if (![inputs.delta, inputs.weights].every(known)) return null;
      const [deltas] = rowsOf(run.value(inputs.delta)), weights = rowsOf(run.value(inputs.weights)), each = weights.map((row, j) => row.map((weight) => weight * deltas[j]));
      const amounts = before.map((_, i) => each.reduce((sum, row) => sum + Math.abs(row[i]), 0)), whole = pairwise(amounts, 0, amounts.length, (x) => x);
      if (!(whole > 0)) return { why: `δ is ${show(0)}: there is nothing to apportion` };
      const parts = each.map(apportioned);
      const shares = before.map((neuron, i) => ({
        neuron, share: amounts[i] / whole, blame: each.reduce((sum, row) => sum + row[i], 0), of_each: parts.map((row) => row[i]),
      }));
      return { layer, deltas, shares: shares.sort((a, b) => b.share - a.share) };
    },
  };

  function taken(starts) {
    const there = starts.filter(known);
    return there.length ? { values: Object.fromEntries(there.map((start) => [start, run.value(start)])) } : null;
  }

  /** Remember what enters plots; a run that began again has no past. */
  function remember() {
    const { update } = run.at;
    if (update < newest) pasts.clear();
    newest = update;
    for (const [key, { type, starts }] of Object.entries(nodes)) {
      if (type !== "plot") continue;
      if (!pasts.has(key)) pasts.set(key, new Map());
      for (const start of starts.filter(known)) {
        const numbers = [run.value(start)].flat(Infinity), past = pasts.get(key);
        if (!past.has(start)) past.set(start, []);
        const line = past.get(start), point = [update, numbers.reduce((sum, each) => sum + each, 0) / numbers.length];
        if (line.at(-1)?.[0] === update) line[line.length - 1] = point;
        else line.push(point);
        if (line.length > LONGEST_PAST) past.set(start, line.filter((_, at) => at === 0 || at === line.length - 1 || at % 2 === 0));
      }
    }
  }

  return {
    nodes, remember,
    async look(key) {
      if (!Object.hasOwn(nodes, key)) throw new Error(`there is no view '${key}'${nearest(key, Object.keys(nodes))}`);
      const { type } = nodes[key], find = () => finders[type](nodes[key], key);
      if (!SLOW.has(type)) return find();
      turn = turn.then(find, find); // they share a machine
      return turn;
    },
  };
}
