// Draws views of numbers and words into an area: panels, tables, dictionaries, bars, a confusion.

const MOST_IN_A_ROW = 12; // numbers of a dictionary's row that are written out
const MOST_BARS = 40;

/** Functions that draw what was found into an area: elements, and the words at the foot. */
const tables = {
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

  confusion({ names, counts, test }, [left, top, width, height]) {
    const count = counts.length, margin = Math.min(maximum([...names, "train", "actual"].map((name) => wideness(name))) + 8, width * 0.34), head = 28;
    const down = Math.min((height - head) / count, 26), across = Math.min((width - margin) / count, (2.4 * (height - head)) / count), size = Math.min(across / 2, down) >= 12 ? 11 : 9;
    const caption = (words, x, y) => lettering(x, y, words, { size, fill: "var(--faint)" }), reads = down >= 9;
    const made = [caption("train", left, top + 10), caption("predicted", left + margin + 3, top + 10), caption("actual", left, top + 23)];
    made.push(...counts.flatMap((line, row) => {
      const y = top + head + row * down, base = y + down / 2 + size * 0.36, all = Math.max(line.reduce((sum, each) => sum + each, 0), 1);
      return [
        ...(reads ? [lettering(left, base, shortened(names[row], margin - 6, size), { size }), caption(shortened(names[row], across - 3, size), left + margin + row * across + 3, top + 23)] : []),
        ...line.flatMap((each, column) => {
          const x = left + margin + column * across, cell = rectangle(x + 0.5, y + 0.5, across - 1, down - 1, between("var(--canvas)", row === column ? "var(--selected)" : "var(--problem)", 0.62 * (each / all)));
          return reads && wideness(String(each), size) <= across ? [cell, lettering(x + across / 2, base, String(each), { size, anchor: "middle" })] : [cell];
        }),
      ];
    }));
    const right = counts.reduce((sum, line, at) => sum + line[at], 0), all = counts.flat().reduce((sum, each) => sum + each, 0);
    if (test) return [made, `train ${right} of ${all}, test ${test.right} of ${test.rows}`];
    return [made, `${right} of ${all} right (${rounded((100 * right) / Math.max(all, 1), 1, "toFixed")[0]} %)`];
  },
};

/** A row of numbers as Python writes it in a dictionary. */
function pythonRow(row) {
  const numbers = flat(row), nested = Array.isArray(row) && Array.isArray(row[0]);
  const text = `[${numbers.slice(0, MOST_IN_A_ROW).map(show).join(", ")}${numbers.length > MOST_IN_A_ROW ? ", …" : ""}]`;
  return nested ? `[${text}]` : text;
}

/** A bar a number: its name before it, the number behind it. */
function barsIn(names, all, { shares, best, told }, [left, top, width, height]) {
  const values = all.slice(0, MOST_BARS).map((each) => (Number.isFinite(each) ? each : 0)), step = Math.min(height / Math.max(values.length, 1), 26);
  const most = shares ? 1 : maximum(values.map(Math.abs)) || 1, start = Math.min(maximum(names.slice(0, values.length).map((name) => wideness(name))) + 8, width * 0.34);
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
