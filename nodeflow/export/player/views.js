// What views show: found from the run's numbers as data, then drawn into their nodes.

const PLANE = 64; // places along a side of a plane
const MOST_SEEN = 240; // rows of data in a plane
const MOST_ROWS = 5000; // that are judged for a confusion
const MOST_TILES = 60, LEAST_SIDE = 4; // of rows that are drawn as squares
const LONGEST_PAST = 1000; // points of a line
const MOST_BARS = 40;
const SLOW = new Set(["boundary", "confusion"]); // these ask the network many times

// --- data ---------------------------------------------------------------------------------------

/** What the views of a graph show, in any of its moments. */
function seeing(run, index) {
  const { classes, nodes } = index.views, pasts = new Map();
  let scout = null, scouted = -1, newest = -1;

  const known = (address) => Object.hasOwn(run.data.slots, address) && run.hasValue(address);
  const rows = (value) => (Array.isArray(value[0]) ? value : [value]);
  const column = (address) => run.columnOf(address);

  /** The numbers that the network is fed with at an address, a row a sample. */
  function fed(address, begin = 0, length = run.data.rows) {
    const { column: from, count } = column(address), { feed } = run.machine, { width } = run.data;
    return Array.from({ length }, (_, at) => (begin + at) * width + from).map((start) => Array.from(feed.subarray(start, start + count)));
  }

  /** An output of the network for rows that take the place of its data: asked of a machine beside it. */
  async function answers(start, goal, asked) {
    if (scouted !== run.form) {
      scout = await Machine.made(run.data, { ...run.parts, straight: null });
      scouted = run.form;
      for (let at = 0; at < run.data.rows + run.data.apart; at++) scout.order[2 * at] = at;
    }
    const { data, schedule } = run, { column: from } = column(start), found = [];
    if (!schedule.places.has(nodeOf(goal))) throw new Error(`'${goal}' is not evaluated`);
    const end = data.spans[schedule.places.get(nodeOf(goal))][1];
    scout.cells.set(run.machine.cells);
    for (let done = 0; done < asked.length; done += data.rows) {
      const part = asked.slice(done, done + data.rows);
      part.forEach((numbers, row) => scout.feed.set(numbers, row * data.width + from));
      for (let first = 0; first < part.length; first += schedule.passSize) {
        const samples = Math.min(schedule.passSize, part.length - first);
        scout.execute("ops", 0, end, { first, samples, number: 0, count: samples });
        found.push(...rows(scout.read(goal, samples)));
      }
    }
    return found;
  }

  const chosen = (outputs, middle) => (outputs.length === 1 ? Number(outputs[0] > middle) : outputs.indexOf(Math.max(...outputs)));

  function middleOf(targets) {
    if (targets[0].length !== 1) return 0.5;
    const numbers = targets.map(([y]) => y);
    return (Math.min(...numbers) + Math.max(...numbers)) / 2;
  }

  const finders = {
    panel: ({ starts }) => taken(starts),
    table: ({ starts }) => taken(starts),
    dictionary: ({ starts }) => (starts.length ? taken(starts) : { values: run.weights() }),

    bars({ starts: [start] }) {
      if (start === undefined || !known(start)) return null;
      const values = rows(run.value(start))[0].map(Number);
      const names = classes.find((each) => each.length === values.length) ?? values.map((_, at) => String(at + 1));
      const shares = values.every((each) => each >= 0 && each <= 1), least = Math.min(...values), most = Math.max(...values);
      return { names, values, shares, best: shares && values.length > 1 && least < most ? names[values.indexOf(most)] : null };
    },

    image({ starts: [start] }) {
      if (start === undefined || !known(start)) return null;
      const values = rows(run.value(start)), side = Math.sqrt(values[0].length);
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
      if (!data) return { why: "in a page x must come from a data set" };
      const { count } = column(inputs.x);
      if (count !== 2) return { why: `x has ${count} numbers, not 2` };
      const x = fed(inputs.x), y = fed(`${data}.y`), ends = [0, 1].map((axis) => {
        const numbers = x.map((row) => row[axis]), least = Math.min(...numbers), most = Math.max(...numbers), margin = Math.max((most - least) * 0.2, 1e-6);
        return [least - margin, most + margin];
      });
      const places = (from, to) => Array.from({ length: PLANE }, (_, at) => (at === PLANE - 1 ? to : at * ((to - from) / (PLANE - 1)) + from));
      const across = places(...ends[0]), down = places(ends[1][1], ends[1][0]);
      const found = await answers(inputs.x, inputs.a, down.flatMap((v) => across.map((u) => [u, v])));
      const outputs = down.map((_, row) => found.slice(row * PLANE, (row + 1) * PLANE));
      const step = Math.ceil(x.length / MOST_SEEN), some = (_, at) => at % step === 0, middle = middleOf(y);
      return {
        low: [ends[0][0], ends[1][0]], high: [ends[0][1], ends[1][1]], outputs, points: x.filter(some),
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
      return finders[nodes[key].type](nodes[key], key);
    },
  };
}

// --- drawing ------------------------------------------------------------------------------------

const wideness = (words, size = 11) => 0.58 * size * words.length;
const shortened = (words, room, size = 11) => (wideness(words, size) <= room ? words : `${words.slice(0, Math.max(0, Math.floor(room / (0.58 * size)) - 1)).trimEnd()}…`);

function styled(made, styles) {
  Object.assign(made.style, styles);
  return made;
}

const rectangle = (x, y, width, height, fill) => styled(shape("rect", { x, y, width: Math.max(width, 0), height: Math.max(height, 0) }), { fill });
const lettering = (x, y, said, { fill = "var(--text)", size = 11, anchor = "start" } = {}) => styled(shape("text", { x, y }, said), { fill, fontSize: `${size}px`, textAnchor: anchor });
const polyline = (points, colour, thick = 1) => styled(shape("polyline", { points: points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ") }), { fill: "none", stroke: colour, strokeWidth: thick, strokeLinejoin: "round" });
const between = (one, other, share) => `color-mix(in srgb, ${one}, ${other} ${(100 * share).toFixed(1)}%)`;

const CLASS_COLOURS = ["negative", "positive", "backward", "feedback", "forward", "problem", "selected", "faint", "border", "text"].map((name) => `--${name}`);
const LINE_COLOURS = ["selected", "positive", "backward", "feedback"].map((name) => `var(--${name})`);

/** The mark of a class: circle, square or triangle in its colour. */
function classMark([x, y], number, r = 2.6) {
  const kind = number % 3, made = kind === 0 ? shape("circle", { cx: x, cy: y, r })
    : kind === 1 ? shape("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r })
    : shape("path", { d: `M${x} ${y - r}L${x + r} ${y + r}L${x - r} ${y + r}Z` });
  return styled(made, { fill: `var(${CLASS_COLOURS[number % CLASS_COLOURS.length]})`, stroke: "var(--canvas)", strokeWidth: 0.8 });
}

/** A picture of pixels, a colour each, in an area; `colourOf` gives red, green, blue from 0 to 255. */
function pixels(rows, columns, colourOf, [x, y, width, height]) {
  const sheet = document.createElement("canvas");
  sheet.width = columns;
  sheet.height = rows;
  const context = sheet.getContext("2d"), data = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) data.data.set([...colourOf(row, column), 255], 4 * (row * columns + column));
  context.putImageData(data, 0, 0);
  return styled(shape("image", { x, y, width, height, preserveAspectRatio: "none", href: sheet.toDataURL() }), { imageRendering: "pixelated" });
}

const mix = (one, other, share) => one.map((each, at) => Math.round(each + (other[at] - each) * share));

/** Functions that draw what was found into an area: elements, and the words at the foot. */
const drawers = {
  panel(found, area) {
    const entries = Object.entries(found.values);
    if (entries.length === 1) {
      const numbers = flat(entries[0][1]), [left, top, width, height] = area;
      if (numbers.length === 1) return [[lettering(left + width / 2, top + height / 2 + 9, show(numbers[0]), { size: 24, anchor: "middle" })], show(numbers[0])];
      return [numbersIn(entries[0][1], area), short(entries[0][1])];
    }
    return [entriesIn(entries, area), `${entries.length} values`];
  },

  table(found, area) {
    const entries = Object.entries(found.values), parts = entries.map(([, value]) => (Array.isArray(value[0]) ? value : [flat(value)]));
    const tall = Math.max(...parts.map((part) => part.length)), whole = Array.from({ length: tall }, (_, row) => parts.flatMap((part) => part[row % part.length]));
    return [numbersIn(whole, area), `${tall}×${whole[0].length}`];
  },

  dictionary(found, area) {
    const entries = Object.entries(found.values), count = entries.reduce((sum, [, value]) => sum + flat(value).length, 0);
    return [entriesIn(entries, area), `${entries.length} keys, ${count} numbers`];
  },

  bars({ names, values: all, shares, best }, [left, top, width, height]) {
    const values = all.slice(0, MOST_BARS).map((each) => (Number.isFinite(each) ? each : 0)), step = Math.min(height / Math.max(values.length, 1), 26);
    const most = shares ? 1 : Math.max(...values.map(Math.abs)) || 1, start = Math.min(Math.max(...names.map((name) => wideness(name))) + 8, width * 0.34);
    const room = width - 62 - start, negative = values.some((each) => each < 0), zero = left + start + (negative ? room / 2 : 0), unit = (negative ? room / 2 : room) / most;
    const told = (value) => (shares ? percentOf(value) : show(value));
    const made = values.flatMap((value, at) => {
      const y = top + at * step, marked = names[at] === best, colour = value >= 0 ? "var(--positive)" : "var(--negative)", length = Math.max(Math.abs(value) * unit, 1);
      return [
        lettering(left, y + step / 2 + 4, shortened(names[at], start - 6), { fill: marked ? "var(--text)" : "var(--faint)" }),
        rectangle(value >= 0 ? zero : zero - length, y + 2, length, Math.max(step - 4, 1), marked || best === null ? colour : between("var(--body)", colour, 0.55)),
        lettering(left + start + room + 6, y + step / 2 + 4, told(value) + (marked ? " ←" : "")),
      ];
    });
    return [made, best === null ? `${names.length} numbers` : `→ ${best}: ${told(all[names.indexOf(best)])}`];
  },

  image({ values, side }, [left, top, width, height], colours) {
    const numbers = values.flat(), signed = numbers.some((each) => each < 0);
    const toneOf = (number, largest) => mix(colours("--canvas"), colours(!signed ? "--text" : number >= 0 ? "--positive" : "--negative"), Math.min(Math.abs(number) / largest, 1));
    const foot = `${values.length}×${values[0].length}   ${show(Math.min(...numbers))} … ${show(Math.max(...numbers))}`;
    const placed = (rows, columns, colourOf) => {
      let [w, h] = [width, height];
      if (Math.max(columns / rows, rows / columns) < 6) {
        const scale = Math.min(width / columns, height / rows);
        [w, h] = [columns * scale, rows * scale];
      }
      return [[pixels(rows, columns, colourOf, [left + (width - w) / 2, top + (height - h) / 2, w, h])], foot];
    };
    if (side === null) {
      const largest = Math.max(...numbers.map(Math.abs)) || 1;
      return placed(values.length, values[0].length, (row, column) => toneOf(values[row][column], largest));
    }
    const tiles = values.slice(0, MOST_TILES), count = tiles.length, step = side + 1;
    const size = (n) => Math.min(width / n, height / Math.ceil(count / n));
    let across = 1;
    for (let n = 2; n <= count; n++) if (size(n) > size(across)) across = n;
    const lines = Math.ceil(count / across), largest = tiles.map((row) => Math.max(...row.map(Math.abs), 1e-12));
    return placed(lines * step + 1, across * step + 1, (row, column) => {
      const tile = Math.floor((row - 1) / step) * across + Math.floor((column - 1) / step);
      if (row % step === 0 || column % step === 0) return colours("--border");
      if (tile >= count) return colours("--body");
      return toneOf(tiles[tile][((row - 1) % step) * side + ((column - 1) % step)], largest[tile]);
    });
  },

  plot({ lines }, [left, above, width, tall]) {
    const entries = Object.entries(lines), points = entries.flatMap(([, line]) => line), top = above + 14, height = tall - 28;
    const values = points.map(([, value]) => value), updates = points.map(([update]) => update);
    const low = Math.min(...values), most = Math.max(...values), start = Math.min(...updates), end = Math.max(...updates);
    const edge = between("var(--body)", "var(--border)", 0.4), made = [top, top + height].map((y) => polyline([[left, y], [left + width, y]], edge));
    entries.forEach(([name, line], at) => {
      const places = line.map(([update, value]) => [left + ((update - start) / (end - start || 1)) * width, top + height - ((value - low) / (most - low || 1)) * height]);
      const colour = LINE_COLOURS[at % LINE_COLOURS.length], thick = 1.6 + 0.8 * (at % 3), last = places.at(-1);
      if (places.length > 1) made.push(polyline(places, colour, thick));
      made.push(styled(shape("circle", { cx: last[0], cy: last[1], r: 3 }), { fill: colour }));
      if (entries.length > 1) {
        const x = left + width * 0.42, y = above + 27 + 14 * at;
        made.push(polyline([[x - 18, y - 4], [x - 5, y - 4]], colour, thick), lettering(x, y, shortened(name, width * 0.58)));
      }
    });
    const small = { fill: "var(--faint)", size: 9 };
    made.push(lettering(left, top - 3, show(most), small), lettering(left, top + height + 12, show(low), small), lettering(left + width, top + height + 12, `update ${end}`, { ...small, anchor: "end" }));
    return [made, entries.map(([, line]) => show(line.at(-1)[1])).join("   ")];
  },

  boundary({ low, high, outputs, points, classes, names, middle }, [left, top, width, height], colours) {
    const side = Math.min(width, height), palette = CLASS_COLOURS.map((name) => colours(name)), ground = colours("--canvas"), edge = colours("--text");
    const one = (row) => (row.length === 1 ? Number(row[0] > middle) : row.indexOf(Math.max(...row)));
    const sure = (row) => {
      if (row.length === 1) return Math.min(Math.abs(row[0] - middle) / Math.max(1 - middle, 1e-9), 1);
      const [best, next] = row.toSorted((a, b) => b - a);
      return Math.min(Math.max(best - next, 0), 1);
    };
    const region = outputs.map((line) => line.map(one));
    const made = [pixels(PLANE, PLANE, (row, column) => {
      const here = region[row][column];
      if ((column && region[row][column - 1] !== here) || (row && region[row - 1][column] !== here)) return edge;
      return mix(ground, palette[here % palette.length], 0.12 + 0.5 * sure(outputs[row][column]));
    }, [left, top, side, side])];
    points.forEach(([x, y], at) => made.push(classMark([left + ((x - low[0]) / (high[0] - low[0])) * side, top + (1 - (y - low[1]) / (high[1] - low[1])) * side], classes[at])));
    names.slice(0, Math.floor(side / 18)).forEach((name, at) => {
      const [x, y] = [left + side + 14, top + 10 + 18 * at];
      made.push(classMark([x, y], at, 4.6), lettering(x + 10, y + 4, shortened(name, width - side - 26)));
    });
    return [made, `x1 ${show(low[0])} … ${show(high[0])}`];
  },

  confusion({ names, counts, test }, [left, top, width, height]) {
    const count = counts.length, margin = Math.min(Math.max(...names.map((name) => wideness(name))) + 8, width * 0.34), head = 15;
    const down = Math.min((height - head) / count, 26), across = Math.min((width - margin) / count, (2.4 * (height - head)) / count), size = Math.min(across / 2, down) >= 12 ? 11 : 9;
    const made = [lettering(left, top + 11, "train", { size, fill: "var(--faint)" })];
    made.push(...counts.flatMap((line, row) => {
      const y = top + head + row * down, base = y + down / 2 + size * 0.36, all = Math.max(line.reduce((sum, each) => sum + each, 0), 1);
      return [
        lettering(left, base, shortened(names[row], margin - 6, size), { size }), lettering(left + margin + row * across + 3, top + 11, shortened(names[row], across - 3, size), { size, fill: "var(--faint)" }),
        ...line.flatMap((each, column) => {
          const x = left + margin + column * across;
          return [rectangle(x + 0.5, y + 0.5, across - 1, down - 1, between("var(--canvas)", row === column ? "var(--selected)" : "var(--problem)", 0.62 * (each / all))), lettering(x + across / 2, base, String(each), { size, anchor: "middle" })];
        }),
      ];
    }));
    const right = counts.reduce((sum, line, at) => sum + line[at], 0), all = counts.flat().reduce((sum, each) => sum + each, 0);
    if (test) return [made, `train ${right} of ${all}   test ${test.right} of ${test.rows}`];
    return [made, `${right} of ${all} right (${((100 * right) / Math.max(all, 1)).toFixed(1)} %)`];
  },
};

function percentOf(share) {
  const number = 100 * share;
  if (number === 0 || number === 100) return `${number.toFixed(0)} %`;
  if (number < 0.1) return "< 0.1 %";
  return number > 99.5 ? `${Math.min(number, 99.9).toFixed(1)} %` : number >= 9.95 ? `${number.toFixed(0)} %` : `${number.toFixed(1)} %`;
}

function entriesIn(entries, [left, top, width, height]) {
  return entries.slice(0, Math.max(Math.floor(height / 17), 1)).flatMap(([name, value], at) => [
    lettering(left + 2, top + 13 + 17 * at, shortened(name, width * 0.5), { fill: "var(--faint)" }), lettering(left + width * 0.55, top + 13 + 17 * at, shortened(short(value), width * 0.45)),
  ]);
}

/** Numbers in rows and columns; what does not fit is dots. */
function numbersIn(value, [left, top, width, height]) {
  const rows = Array.isArray(value[0]) ? value : [flat(value)], fits = Math.max(Math.floor(height / 15), 1), room = Math.max(Math.floor(width / 46), 1);
  const columns = Math.min(rows[0].length, room), step = columns > 3 ? width / columns : Math.min(62, width / columns);
  return rows.slice(0, fits).flatMap((row, number) => {
    const y = top + 12 + 15 * number;
    if (number === fits - 1 && rows.length > fits) return [lettering(left, y, `… ${rows.length} rows`, { fill: "var(--faint)" })];
    return row.slice(0, columns).map((each, place) => lettering(left + (place + 1) * step - 4, y, place === columns - 1 && row.length > columns ? "…" : shortened(show(each), step - 3), { anchor: "end" }));
  });
}

/** A sentence in as many lines as there is room for. */
function sentenceIn(said, [left, top, width]) {
  const lines = [""];
  for (const word of said.split(" ")) {
    if (lines.at(-1) && wideness(`${lines.at(-1)} ${word}`) > width - 8) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines.map((line, at) => lettering(left + 4, top + 14 + 17 * at, line, { fill: "var(--faint)" }));
}

/** Keep the views of a player up to date; the slow ones when there is time. */
function showingViews(root, run, index, view) {
  const sight = seeing(run, index);
  let busy = false, again = false;

  function colours(name) {
    const text = getComputedStyle(root).getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  }

  async function draw(slow) {
    for (const [key, { type }] of Object.entries(sight.nodes)) {
      if (SLOW.has(type) !== slow || !view.hasInside(key)) continue;
      const found = await sight.look(key), area = view.areaOf(key);
      if (view.ended) return;
      if (found === null) continue;
      const [made, foot] = found.why ? [sentenceIn(found.why, area), ""] : drawers[type](found, area, colours);
      view.fill(key, made, foot);
    }
  }

  async function refresh() {
    sight.remember();
    await draw(false);
    if (busy) { again = true; return; }
    busy = true;
    try {
      do {
        again = false;
        await draw(true);
        await new Promise((then) => setTimeout(then, 50));
      } while (again && !view.ended);
    } finally {
      busy = false;
    }
  }

  if (Object.keys(sight.nodes).length) view.watching.push(refresh);
  return sight;
}
