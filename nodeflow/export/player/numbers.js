// Numbers as they are shown: as Python's `workings/shown.py` writes them.

const LISTED = 4; // numbers of an array that are listed in a line
const MOST = 200; // numbers of an array that are shown in full

/** A number with so many decimals, and its power of ten; halfway it goes to the even digit. */
function rounded(value, decimals, how) {
  const write = (more) => value[how](decimals + more).split("e");
  const [up, power] = write(0), [longer] = write(1), [exact] = write(30);
  const halfway = longer.endsWith("5") && /^0*$/.test(exact.slice(longer.length));
  const odd = "13579".includes(up.at(-1));
  return [halfway && odd ? longer.slice(0, -1) : up, Number(power ?? 0)];
}

/** A number as a person writes it: at most 4 significant digits after the lead. */
function show(number) {
  const value = Number(number), size = Math.abs(value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "−Infinity";
  if (value === 0) return "0";
  const stripped = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const [digits, power] = rounded(value, 3, "toExponential");
  const plain = size < 1e6 && power >= -4;
  const text = plain
    ? stripped(rounded(value, size >= 0.1 ? 4 : 3 - power, "toFixed")[0])
    : `${size < 1 ? stripped(digits) : digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return text.replaceAll("-", "−");
}

const exactly = (number) => String(number).replaceAll("-", "−");

const sizeOf = (value) => shapeOf(value).join("×");

/** How many training rows are right. */
function counted(hits) {
  const right = hits.reduce((sum, each) => sum + each, 0);
  return Number.isFinite(right) ? `train ${right} of ${hits.length}` : "?";
}

/** A value in one line: its number, its few numbers, or its shape. */
function short(value) {
  const numbers = flat(value);
  if (numbers.length === 1) return show(numbers[0]);
  return numbers.length <= LISTED ? numbers.map(show).join(", ") : sizeOf(value);
}

/** All digits of a value, one row per line. */
function written(value) {
  const rows = Array.isArray(value) && Array.isArray(value[0]) ? value : [flat(value)];
  const width = maximum(flat(value).slice(0, MOST).map((number) => exactly(number).length)) + 2;
  let left = MOST;
  const lines = [];
  for (const row of rows) {
    if (left <= 0) break;
    lines.push(row.slice(0, left).map((number) => exactly(number).padEnd(width)).join("").trimEnd());
    left -= row.length;
  }
  const more = flat(value).length - MOST;
  return lines.join("\n") + (more > 0 ? `\n… and ${more} more` : "");
}
