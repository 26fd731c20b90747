// Draws views of places and lines into an area: images, plots, planes, curves, a landscape.

const BANDS = 12; // shades of a landscape
const MOST_TILES = 60; // rows that are drawn as squares

/** Functions that draw what was found into an area: elements, and the words at the foot. */
const charts = {
  image({ values, side }, [left, top, width, height], colours) {
    const numbers = values.flat(), signed = numbers.some((each) => each < 0);
    const toneOf = (number, largest) => mix(colours("--canvas"), colours(!signed ? "--text" : number >= 0 ? "--positive" : "--negative"), Math.min(Math.abs(number) / largest, 1));
    const foot = `${values.length}×${values[0].length}, from ${show(minimum(numbers))} to ${show(maximum(numbers))}`;
    const placed = (rows, columns, colourOf) => {
      let [w, h] = [width, height];
      if (Math.max(columns / rows, rows / columns) < 6) {
        const scale = Math.min(width / columns, height / rows);
        [w, h] = [columns * scale, rows * scale];
      }
      return [[pixels(rows, columns, colourOf, [left + (width - w) / 2, top + (height - h) / 2, w, h])], foot];
    };
    if (side === null) {
      const largest = maximum(numbers.map(Math.abs)) || 1;
      return placed(values.length, values[0].length, (row, column) => toneOf(values[row][column], largest));
    }
    const tiles = values.slice(0, MOST_TILES), count = tiles.length, step = side + 1;
    const size = (n) => Math.min(width / n, height / Math.ceil(count / n));
    let across = 1;
    for (let n = 2; n <= count; n++) if (size(n) > size(across)) across = n;
    const lines = Math.ceil(count / across), largest = tiles.map((row) => Math.max(maximum(row.map(Math.abs)), 1e-12));
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
    const low = minimum(values), most = maximum(values), start = minimum(updates), end = maximum(updates);
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

  curve({ points, x, outputs, reach, error }, area) {
    const ys = points.map(([, y]) => y), low = minimum(ys), high = maximum(ys);
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
    const [low, most] = known.length ? [minimum(known), maximum(known)] : [0, 1], margin = 0.06 * (most - low) || 0.5, head = 13 * entries.length;
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
      const share = Number.isFinite(each) ? 0.5 * ((lastUpTo(known, 0, (one) => Number(one >= each)) + 1) / Math.max(known.length - 1, 1)) + 0.5 * ((each - known[0]) / most) : 1;
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
