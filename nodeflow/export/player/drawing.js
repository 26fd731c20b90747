// Draws what views show into their nodes: the same rectangles, lines and texts as `nodeflow.views`.

const LETTERS = [ // widths of the characters from the blank on, in thousandths of the size: DejaVu Sans, as in pictures
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
  1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
  500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
const WIDER = { "−": 838, "…": 1000, "←": 838, "→": 838, "↑": 838, "×": 838, "·": 318, ...Object.fromEntries([..."₀₁₂₃₄₅₆₇₈₉"].map((digit) => [digit, 401])) };

const wideness = (words, size = 11) => (size * [...words].reduce((sum, each) => sum + (LETTERS[each.charCodeAt(0) - 32] ?? WIDER[each] ?? 612), 0)) / 1000;

/** As much of a text as there is room for. */
function shortened(words, room, size = 11) {
  if (wideness(words, size) <= room) return words;
  let count = words.length - 1;
  while (count > 0 && wideness(`${words.slice(0, count).trimEnd()}…`, size) > room) count--;
  return `${words.slice(0, count).trimEnd()}…`;
}

function styled(made, styles) {
  Object.assign(made.style, styles);
  return made;
}

const rectangle = (x, y, width, height, fill) => styled(shape("rect", { x, y, width: Math.max(width, 0), height: Math.max(height, 0) }), { fill });
const lettering = (x, y, said, { fill = "var(--text)", size = 11, anchor = "start" } = {}) => styled(shape("text", { x, y }, said), { fill, fontSize: `${size}px`, textAnchor: anchor });
const polyline = (points, colour, thick = 1, dashes = "none") => styled(shape("polyline", { points: points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ") }), { fill: "none", stroke: colour, strokeWidth: thick, strokeLinejoin: "round", strokeDasharray: dashes });
const spot = ([x, y], r, fill) => styled(shape("circle", { cx: x, cy: y, r }), { fill, stroke: "var(--body)", strokeWidth: 0.8 });
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
  panel({ values }, area) {
    const entries = Object.entries(values), [left, top, width, height] = area;
    if (entries.length > 1) return [entriesIn(entries, area), `${entries.length} values`];
    const value = entries[0][1], numbers = flat(value);
    if (numbers.length > 1) return [numbersIn(rowsOf(value), area), listed(value)];
    return [[lettering(left + width / 2, top + height / 2 + 9, shortened(show(numbers[0]), width, 24), { size: 24, anchor: "middle" })], show(numbers[0])];
  },

  table({ columns, rows, parts }, [left, top, width, height]) {
    const foot = `${rows.length}×${rows[0].length}`;
    if (parts.length === 1) return [numbersIn(rows, [left, top, width, height]), foot];
    // One column a value is the usual case; names stand over them as wide as there is room for.
    const room = width / parts.length, made = [];
    let from = 0;
    parts.forEach((count, number) => {
      const at = left + number * room, end = at + room - 8, its = rows.map((row) => row.slice(from, from + count));
      made.push(lettering(end, top + 11, shortened(columns[from], room - 8), { fill: "var(--faint)", anchor: "end" }));
      for (const mark of numbersIn(its, [at, top + 15, room - 6, height - 15])) {
        if (count === 1 && mark.style.textAnchor === "end") mark.setAttribute("x", end);
        made.push(mark);
      }
      from += count;
    });
    return [made, foot];
  },

  dictionary({ entries }, [left, top, width, height]) {
    const lines = ["{"], most = Math.floor(height / 14), known = Object.entries(entries);
    for (const [key, value] of known) {
      const head = `"${key}": `, two = Array.isArray(value[0]) && value.length > 1, rows = two ? value : [value];
      rows.forEach((row, number) => {
        const text = (two ? (number ? " " : "[") : "") + pythonRow(row) + (two && number === value.length - 1 ? "]" : "");
        lines.push(`  ${number ? " ".repeat(head.length) : head}${text},`.slice(0, 102));
      });
    }
    lines.push("}");
    if (lines.length > most) lines.splice(most - 1, lines.length, `… ${lines.length - most + 1} more lines`);
    const made = lines.map((line, at) => {
      const text = line.trimStart(), inset = 4 + 3.5 * (line.length - text.length);
      return lettering(left + inset, top + 11 + 14 * at, shortened(text, width - inset - 4));
    });
    return [made, `${known.length} keys, ${known.reduce((sum, [, value]) => sum + flat(value).length, 0)} numbers`];
  },

  bars({ names, values, shares, best }, area) {
    const at = best === null ? -1 : names.indexOf(best), told = (value) => (shares ? percentOf(value) : show(value));
    return [barsIn(names, values, { shares, best: at, told }, area), at < 0 ? `${names.length} numbers` : `→ ${best}: ${told(values[at])}`];
  },

  blame_shares({ shares }, area) {
    const names = shares.map(({ neuron }) => neuron), told = (value) => rounded(value, 2, "toFixed")[0];
    return [barsIn(names, shares.map(({ share }) => share), { shares: true, best: 0, told }, area), `most: ${names[0]}, ${told(shares[0].share)}`];
  },

  image({ values, side }, [left, top, width, height], colours) {
    const numbers = values.flat(), signed = numbers.some((each) => each < 0);
    const toneOf = (number, largest) => mix(colours("--canvas"), colours(!signed ? "--text" : number >= 0 ? "--positive" : "--negative"), Math.min(Math.abs(number) / largest, 1));
    const foot = `${values.length}×${values[0].length}, from ${show(Math.min(...numbers))} to ${show(Math.max(...numbers))}`;
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
    return [made, entries.map(([, line]) => show(line.at(-1)[1])).join(", ")];
  },

  boundary({ low, high, outputs, points, classes, names, middle }, [left, top, width, height], colours) {
    const side = Math.min(width, height), palette = CLASS_COLOURS.map((name) => colours(name)), ground = colours("--canvas"), edge = colours("--text");
    const sure = (row) => {
      if (row.length === 1) return Math.min(Math.abs(row[0] - middle) / Math.max(1 - middle, 1e-9), 1);
      const [best, next] = row.toSorted((a, b) => b - a);
      return Math.min(Math.max(best - next, 0), 1);
    };
    const region = outputs.map((line) => line.map((row) => chosen(row, middle)));
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
    const count = counts.length, margin = Math.min(Math.max(...[...names, "train"].map((name) => wideness(name))) + 8, width * 0.34), head = 15;
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
    if (test) return [made, `train ${right} of ${all}, test ${test.right} of ${test.rows}`];
    return [made, `${right} of ${all} right (${rounded((100 * right) / Math.max(all, 1), 1, "toFixed")[0]} %)`];
  },

  curve({ points, x, outputs, reach, error }, area) {
    const ys = points.map(([, y]) => y), low = Math.min(...ys), high = Math.max(...ys);
    // The points decide how high it is: beyond them a polynomial is soon off the paper.
    const margin = 0.4 * (high - low) || 1, axes = axesIn(area, [x[0], low - margin], [x.at(-1), high + margin]), [left, top, width, height] = axes.area;
    const [begin, end] = reach.map((at) => axes.at(at, low)[0]), grey = between("var(--body)", "var(--text)", 0.1);
    const made = [rectangle(left, top, begin - left, height, grey), rectangle(end, top, left + width - end, height, grey), ...axes.frame()];
    const inside = (at) => at >= reach[0] && at <= reach[1];
    for (const [wanted, dashed] of [[(at) => at <= reach[0], true], [(at) => at >= reach[1], true], [inside, false]]) {
      const part = x.flatMap((at, number) => (wanted(at) ? [[at, outputs[number]]] : []));
      made.push(...axes.line(part).map((line) => polyline(line, dashed ? "var(--faint)" : "var(--selected)", dashed ? 1.4 : 2, dashed ? "4 3" : "none")));
    }
    const every = Math.ceil(points.length / MOST_SEEN);
    points.forEach(([px, py], at) => { if (at % every === 0) made.push(spot(axes.at(px, py), 2.6, "var(--positive)")); });
    return [made, `RMS error ${show(error)}`];
  },

  function_plot({ at, x, functions }, [left, top, width, height]) {
    const entries = Object.entries(functions), known = entries.flatMap(([, { curve }]) => curve).filter(Number.isFinite);
    const [low, most] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1], margin = 0.06 * (most - low) || 0.5, head = 13 * entries.length;
    const axes = axesIn([left, top + head, width, height - head], [x[0], low - margin], [x.at(-1), most + margin]), made = axes.frame();
    const told = ({ value, slope }) => {
      const way = Math.abs(slope) < 1e-9 ? "flat" : slope > 0 ? "up" : "down";
      return `${show(value)}, ${way}${way === "flat" ? "" : ` ${show(Math.abs(slope))}`}`;
    };
    entries.forEach(([name, each], number) => {
      const colour = LINE_COLOURS[number % LINE_COLOURS.length], thick = 1.2 + 0.6 * (number % 3), y = top + 9 + 13 * number;
      made.push(...axes.line(each.curve.map((value, place) => [x[place], value])).map((line) => polyline(line, colour, thick)));
      if (Number.isFinite(at) && Number.isFinite(each.value) && x[0] <= at && at <= x.at(-1)) {
        const place = axes.at(at, each.value);
        made.push(polyline(axes.tangent(place, each.slope, 0.3), "var(--text)", 1.8), spot(place, 3.2, colour));
      }
      made.push(polyline([[left, y - 3.5], [left + 14, y - 3.5]], colour, thick), lettering(left + 19, y, shortened(`${name}: ${told(each)}`, width - 22)));
    });
    return [made, told(entries[0][1])];
  },

  landscape({ names, x, y, costs, point, cost, minima }, [left, top, width, height], colours) {
    const axes = axesIn([left, top, width, height - 2], [x[0], y[0]], [x.at(-1), y.at(-1)]), side = costs.length;
    const known = costs.flat().filter(Number.isFinite).sort((a, b) => a - b), most = known.at(-1) - known[0] || 1, [dark, ground] = [colours("--selected"), colours("--canvas")];
    // By rank as well as by size, so that a flat valley has shades too.
    const shade = (each) => {
      const share = Number.isFinite(each) ? 0.5 * (firstFrom(known, each) / Math.max(known.length - 1, 1)) + 0.5 * ((each - known[0]) / most) : 1;
      return Math.floor(Math.min(Math.max(share, 0), 0.9999) * BANDS) / (BANDS - 1);
    };
    const made = [pixels(side, side, (row, column) => mix(dark, ground, shade(costs[side - 1 - row][column])), axes.area), ...axes.numbers()];
    for (const each of minima.slice(0, 8)) {
      const [px, py] = axes.at(each.x, each.y);
      made.push(polyline([[px - 3.5, py - 3.5], [px + 3.5, py + 3.5]], "var(--text)", 1.4), polyline([[px - 3.5, py + 3.5], [px + 3.5, py - 3.5]], "var(--text)", 1.4));
    }
    if (x[0] <= point[0] && point[0] <= x.at(-1) && y[0] <= point[1] && point[1] <= y.at(-1)) made.push(spot(axes.at(...point), 4, "var(--positive)"));
    const [at, above, wide, tall] = axes.area, [across, up] = names.map((name) => shortened(name, wide / 2));
    made.push(lettering(at + wide / 2, above + tall + 10, `${across} →`, { fill: "var(--faint)", size: 9, anchor: "middle" }), lettering(at + 3, above + 11, `↑ ${up}`, { size: 9 }));
    return [made, `J = ${show(cost)}, ${minima.length} minim${minima.length === 1 ? "um" : "a"} in sight`];
  },
};

const BANDS = 12; // shades of a landscape

/** The place of the first of sorted numbers that is not below one. */
function firstFrom(sorted, number) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An area in which numbers have places, `low` and `high` its corners, with room for what is written at it. */
function axesIn([x, y, wide, high], low, most) {
  const room = 6 + Math.max(wideness(show(low[1]), 9), wideness(show(most[1]), 9)), left = x + room, top = y + 4, width = wide - room - 4, height = high - 18;
  const at = (u, v) => [left + ((u - low[0]) / (most[0] - low[0] || 1)) * width, top + (1 - (v - low[1]) / (most[1] - low[1] || 1)) * height];
  const edge = between("var(--body)", "var(--border)", 0.6), small = { fill: "var(--faint)", size: 9 };

  /** The parts of a line that lie in the area, cut at its upper and lower edge. */
  function line(points) {
    const parts = [[]], within = ([, v]) => v >= low[1] && v <= most[1];
    points.forEach(([u, v], number) => {
      const inside = within([u, v]), before = points[number - 1];
      if (number && inside !== within(before)) {
        const [u0, v0] = before, limit = Math.max(v, v0) > most[1] ? most[1] : low[1];
        if (Number.isFinite(v) && Number.isFinite(v0)) parts.at(-1).push(at(u0 + ((limit - v0) / (v - v0)) * (u - u0), limit));
      }
      if (inside) parts.at(-1).push(at(u, v));
      else if (parts.at(-1).length) parts.push([]);
    });
    return parts.filter((part) => part.length > 1);
  }

  /** A piece of the tangent at a place, a share of the area long. */
  function tangent([px, py], slope, length) {
    const dx = width / (most[0] - low[0] || 1), dy = (-slope * height) / (most[1] - low[1] || 1), scale = (length * Math.min(width, 2 * height)) / 2 / (Math.hypot(dx, dy) || 1);
    return [[px - dx * scale, py - dy * scale], [px + dx * scale, py + dy * scale]];
  }

  const numbers = () => [
    lettering(left, top + height + 10, show(low[0]), small), lettering(left + width, top + height + 10, show(most[0]), { ...small, anchor: "end" }),
    lettering(left - 3, top + 7, show(most[1]), { ...small, anchor: "end" }), lettering(left - 3, top + height, show(low[1]), { ...small, anchor: "end" }),
  ];

  /** The lower and the left edge with the range of each, and where 0 is. */
  function frame() {
    const made = [polyline([[left, top], [left, top + height], [left + width, top + height]], edge)];
    for (const axis of [0, 1]) {
      if (!(low[axis] < 0 && most[axis] > 0)) continue;
      const [zx, zy] = at(axis ? low[0] : 0, axis ? 0 : low[1]);
      made.push(polyline(axis ? [[left, zy], [left + width, zy]] : [[zx, top], [zx, top + height]], edge, 0.6, "4 3"));
    }
    return [...made, ...numbers()];
  }

  return { area: [left, top, width, height], at, line, tangent, numbers, frame };
}

/** A row of numbers as Python writes it in a dictionary. */
function pythonRow(row) {
  const numbers = flat(row), nested = Array.isArray(row) && Array.isArray(row[0]);
  const text = `[${numbers.slice(0, MOST_IN_A_ROW).map(show).join(", ")}${numbers.length > MOST_IN_A_ROW ? ", …" : ""}]`;
  return nested ? `[${text}]` : text;
}

const MOST_IN_A_ROW = 12; // numbers of a dictionary's row that are written out

/** A bar a number: its name before it, the number behind it. */
function barsIn(names, all, { shares, best, told }, [left, top, width, height]) {
  const values = all.slice(0, MOST_BARS).map((each) => (Number.isFinite(each) ? each : 0)), step = Math.min(height / Math.max(values.length, 1), 26);
  const most = shares ? 1 : Math.max(...values.map(Math.abs)) || 1, start = Math.min(Math.max(...names.slice(0, values.length).map((name) => wideness(name))) + 8, width * 0.34);
  const room = width - 62 - start, negative = values.some((each) => each < 0), zero = left + start + (negative ? room / 2 : 0), unit = (negative ? room / 2 : room) / most;
  return values.flatMap((value, at) => {
    const y = top + at * step, marked = at === best, colour = value >= 0 ? "var(--positive)" : "var(--negative)", length = Math.max(Math.abs(value) * unit, 1);
    return [
      lettering(left, y + step / 2 + 4, shortened(names[at], start - 6), { fill: marked ? "var(--text)" : "var(--faint)" }),
      rectangle(value >= 0 ? zero : zero - length, y + 2, length, Math.max(step - 4, 1), marked || best < 0 ? colour : between("var(--body)", colour, 0.55)),
      lettering(left + start + room + 6, y + step / 2 + 4, told(all[at]) + (marked ? " ←" : "")),
    ];
  });
}

function percentOf(share) {
  const number = 100 * share;
  if (number === 0 || number === 100) return `${number.toFixed(0)} %`;
  if (number < 0.1) return "< 0.1 %";
  return number > 99.5 ? `${Math.min(number, 99.9).toFixed(1)} %` : number >= 9.95 ? `${number.toFixed(0)} %` : `${number.toFixed(1)} %`;
}

function entriesIn(entries, [left, top, width, height]) {
  return entries.filter((_, at) => 13 + 17 * at <= height).flatMap(([name, value], at) => [
    lettering(left + 2, top + 13 + 17 * at, shortened(name, width * 0.5), { fill: "var(--faint)" }), lettering(left + width * 0.55, top + 13 + 17 * at, shortened(listed(value), width * 0.45)),
  ]);
}

/** Numbers in rows and columns; what does not fit is dots, a single row is broken. */
function numbersIn(whole, [left, top, width, height]) {
  const fits = Math.floor(height / 15), room = Math.max(Math.floor(width / 46), 1), broken = whole.length === 1 && whole[0].length > room;
  const rows = broken ? Array.from({ length: Math.min(Math.ceil(whole[0].length / room), fits + 1) }, (_, at) => whole[0].slice(at * room, (at + 1) * room)) : whole;
  const wide = broken ? room : whole[0].length, columns = Math.min(wide, room), step = columns > 3 ? width / columns : Math.min(62, width / columns), made = [];
  for (const [number, row] of rows.slice(0, fits).entries()) {
    const y = top + 12 + 15 * number;
    if (number === fits - 1 && rows.length > fits) {
      made.push(lettering(left, y, `… ${rows.length} rows`, { fill: "var(--faint)" }));
      break;
    }
    if (number % 2) made.push(rectangle(left - 2, y - 11, width + 2, 15, between("var(--body)", "var(--text)", 0.05)));
    row.slice(0, columns).forEach((each, place) => {
      const more = place === columns - 1 && wide > columns;
      made.push(lettering(left + (place + 1) * step - 4, y, more ? "…" : shortened(show(each), step - 3), { anchor: "end" }));
    });
  }
  return made;
}

/** A sentence in as many lines as there is room for. */
function sentenceIn(said, [left, top, width, height]) {
  const lines = [""];
  for (const word of said.split(" ")) {
    if (lines.at(-1) && wideness(`${lines.at(-1)} ${word}`) > width - 8) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines.slice(0, Math.floor(height / 17)).map((line, at) => lettering(left + 4, top + 14 + 17 * at, line, { fill: "var(--faint)" }));
}
