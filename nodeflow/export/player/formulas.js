// Formulas with their numbers: trees that Python made of its own, filled from the cells and written.

const SHOWN = 6; // terms of a sum that are written out; longer sums keep one fewer, the largest
const NO_TERM = ["nothing"];
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const subscripted = (words) => String(words).replace(/\d/g, (digit) => SUBSCRIPTS[digit]);

/** What explains the steps of a graph: their formulas, and what there is to say besides. */
function explained(index) {
  return {
    formula: (run, place) => formulaOf(run, index.formulas[place], run.schedule.order[place]),
    remark: (run, place) => remarkOf(run, index, place),
    shares: (run, place) => sharesOf(run, index, place),
  };
}

/** A step's formula with the numbers of its first output number, in one line. */
function formulaOf(run, { tree, outputs, symbols }, key) {
  if (!outputs.length) return symbols;
  const values = outputs.map((port) => [port, run.value(`${key}.${port}`)]);
  if (!tree) return values.map(([port, value]) => `${port} = ${listed(value)}`).join(", ");
  return lineOf(run, tree, values[0], `${key}.${values[0][0]}`);
}

function lineOf(run, tree, [port, value], address, place = [0, 0]) {
  const result = show(run.cell(address, ...place) ?? flat(value)[0]), body = worded(filledIn(tree, run), run);
  return `${labelOf(port, value, place)} = ${body}${body === result ? "" : ` = ${result}`}`;
}

/** An output number's name: its port, and subscripts where there are several. */
function labelOf(port, value, [row, column]) {
  if (flat(value).length === 1) return port;
  const deep = Array.isArray(value[0]), used = !deep ? [column] : value.length > 1 ? [row, column] : [column];
  return port + subscripted(used.map((each) => each + 1).join(","));
}

/** A value in one line, its first numbers shown: Python's `short`. */
function listed(value) {
  const numbers = flat(value);
  if (numbers.length === 1) return show(numbers[0]);
  return `[${numbers.slice(0, 4).map(show).join(", ")}${numbers.length > 4 ? ", …" : ""}]`;
}

/** A tree with its numbers, all choices made: numbers, and arrays of a head and parts. */
function filledIn(tree, run) {
  if (typeof tree === "number") return tree;
  if (typeof tree === "string") return Number(tree);
  const [head, ...parts] = tree;
  if (head === "@") return run.cell(...parts);
  if (head === "n") return run.schedule.bounds(updateInView(run))[1];
  if (head === "?") return filledIn(parts[evaluated(filledIn(parts[0], run), run) ? 1 : 2], run);
  if (head === "+rows") {
    const terms = [], rows = run.schedule.samples(updateInView(run));
    for (let row = 0; row < rows; row++) terms.push(filledIn(inRow(parts[0], row, run), run));
    return sumOf(terms);
  }
  const found = parts.map((part) => filledIn(part, run));
  if (head === "+") return sumOf(found);
  if (head === "largest" || head === "place") {
    const values = found.map((each) => evaluated(each, run)), place = values.reduce((best, x, at) => (x > values[best] ? at : best), 0);
    return head === "largest" ? found[place] : place + 1;
  }
  return head === "difference" ? evaluated(found[0], run) - evaluated(found[1], run) : [head, ...found];
}

/** The update that the step in view belongs to. */
function updateInView(run) { return run.within || !run.at.once ? run.at.update : run.at.update - 1; }

function inRow(tree, row, run) {
  if (!Array.isArray(tree)) return tree;
  const [head, address, , column] = tree;
  if (head === "@") return run.data.slots[address][1] === 0 ? ["@", address, row, column] : tree;
  return tree.map((each) => inRow(each, row, run));
}

/** A tree of what is computed number by number, for another number than the first. */
function inPlace(tree, i, j, run) {
  if (!Array.isArray(tree)) return tree;
  if (tree[0] !== "@") return tree.map((each) => inPlace(each, i, j, run));
  const [, rows, cols] = run.data.slots[tree[1]];
  return ["@", tree[1], rows === 1 ? 0 : i, cols === 1 ? 0 : j];
}

function sumOf(terms) {
  const found = terms.filter((each) => each !== undefined && each[0] !== "nothing");
  return found.length === 1 ? found[0] : found.length ? ["+", ...found] : NO_TERM;
}

const RELATIONS = {
  "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
  "==": (a, b) => a === b, "!=": (a, b) => a !== b,
};
const SIGNS = {
  ...RELATIONS, "=": RELATIONS["=="], neg: (x) => -x, nothing: () => 0,
  "+": (...terms) => terms.reduce((sum, x) => sum + x, 0), "*": (...factors) => factors.reduce((product, x) => product * x, 1),
  "-": (x, y) => x - y, "/": (x, y) => x / y,
};

/** What a sign or a function of a formula does: functions are those that the rows are made of, in the kernel. */
const operation = (run, head) => SIGNS[head] ?? run.machine.kernel[`of.${head}`];

/** What a filled tree comes to: for choices and for the order of terms, not for the network. */
function evaluated(part, run) {
  if (typeof part === "number") return part;
  const [head, ...parts] = part;
  return operation(run, head)(...parts.map((each) => evaluated(each, run)));
}

/** A filled tree as a person writes it; `level` is how tightly its surroundings bind. */
function worded(part, run, level = 0, first = true) {
  const opening = level === 0 || (level === 1 && first);
  if (part === NO_TERM || (Array.isArray(part) && part[0] === "nothing")) return "0";
  if (typeof part === "number") {
    const words = show(part);
    return words.startsWith("−") && !opening ? `(${words})` : words;
  }
  const [words, binds] = composed(part, run);
  return (binds <= 1 ? opening : level <= binds) ? words : `(${words})`;
}

/** The text of an operation, and how tightly it binds. */
function composed([head, ...parts], run) {
  const [one, two] = parts;
  switch (head) {
    case "+": return [added(parts, run), 1];
    case "-": return [`${worded(one, run, 1)} − ${worded(two, run, 2)}`, 1];
    case "neg": return [`−${worded(one, run, 3)}`, 1];
    case "*": return [[worded(one, run, 2), ...parts.slice(1).map((each) => worded(each, run, 3))].join("·"), 2];
    case "/": return [`${worded(one, run, 2)} / ${worded(two, run, 3)}`, 2];
    case "^": {
      const power = worded(two, run, 4);
      return [worded(one, run, 4) + (power === "2" ? "²" : `^${power}`), 3];
    }
    case "exp": return [`e^${worded(one, run, 4)}`, 3];
    case "log": return [`ln(${worded(one, run)})`, 4];
    case "abs": return [`|${worded(one, run)}|`, 4];
    case "sqrt": return [`√(${worded(one, run)})`, 4];
    default: return [`${head}(${parts.map((each) => worded(each, run)).join(", ")})`, 4];
  }
}

/** A sum; of a long one the largest terms, in their order, and what the others are. */
function added(terms, run) {
  const inARow = (some) => some.map((term, at) => worded(term, run, 1, at === 0)).join(" + ");
  if (terms.length <= SHOWN) return inARow(terms);
  const values = terms.map((term) => evaluated(term, run)), sizes = values.map((x) => (Number.isNaN(x) ? Infinity : Math.abs(x)));
  const count = Math.min(SHOWN - 1, Math.max(1, sizes.filter((size) => size !== 0).length));
  const edge = [...sizes].sort((a, b) => b - a)[count - 1];
  const kept = sizes.map((size) => size > edge);
  let left = count - kept.filter(Boolean).length;
  sizes.forEach((size, at) => { if (size === edge && left > 0) { kept[at] = true; left--; } });
  const rest = values.filter((_, at) => !kept[at]);
  const others = count < SHOWN - 1 ? `${terms.length - count} terms of 0`
    : `${terms.length - count} smaller terms: ${show(pairwise(rest, 0, rest.length, (x) => x))}`;
  return `${inARow(terms.filter((_, at) => kept[at]))} + (${others})`;
}

// --- sentences ----------------------------------------------------------------------------------

/** The words of a sentence with its parts filled in. */
const sayer = (sentences) => (name, parts = {}) => sentences[name].replace(/\{(\w+)\}/g, (_, part) => parts[part]);

/** Amounts as shares of the sum of their sizes. */
function apportioned(amounts) {
  const sizes = amounts.map(Math.abs), whole = pairwise(sizes, 0, sizes.length, (x) => x);
  return amounts.map((amount) => (whole > 0 ? amount / whole : 0));
}

/** How the δ of each neuron is shared out among the inputs, of a `blame` in its first row. */
const sharesOfBlame = (weights, [delta]) => weights.map((row, j) => apportioned(row.map((weight) => weight * delta[j])));

const percent = (share) => rounded(100 * Math.abs(share), 0, "toFixed")[0];

/** Who answers for the error of each neuron of a layer, a sentence each: Python's `shares`. */
function sharesOf(run, { remarks, sentences }, place) {
  const { kind, inputs, layer, before } = remarks[place], say = sayer(sentences);
  if (kind !== "sent_back" || !layer) return [];
  const shares = sharesOfBlame(rowsOf(run.givenTo(inputs.weights)), rowsOf(run.givenTo(inputs.delta)));
  return shares.map((row, j) => {
    if (!row.some(Boolean)) return say("nothing to apportion", { layer, number: j + 1 });
    const ranked = row.map((_, i) => i).sort((one, other) => Math.abs(row[other]) - Math.abs(row[one])).slice(0, SHOWN);
    const parts = ranked.map((i) => say("share", { who: nameOf(before, i), share: percent(row[i]) })).join(", ");
    return say("error of", { layer, number: j + 1, parts });
  });
}

/** What there is to say of a step beside its name and its formula: Python's `remark`. */
function remarkOf(run, { remarks, sentences, formulas }, place) {
  const key = run.schedule.order[place], { kind, inputs, ...known } = remarks[place], outputs = formulas[place].outputs;
  const say = sayer(sentences);
  const value = outputs.length ? run.value(`${key}.${outputs[0]}`) : null, numbers = value ? flat(value) : [];
  const given = (name) => rowsOf(run.givenTo(inputs[name].split("|")[0]));
  const line = (i, j) => lineOf(run, inPlace(formulas[place].tree, i, j, run), [outputs[0], value], `${key}.${outputs[0]}`, [i, j]);
  const teller = REMARKS[kind];
  const sentence = teller ? teller({ run, key, known, inputs, given, say, value, numbers, port: outputs[0], line }) : "";
  return sentence.startsWith(`${key} `) ? sentence.slice(key.length + 1) : sentence;
}

/** The place of the number that is furthest from 0. */
function furthest(rows) {
  let best = [0, 0], size = -1;
  rows.forEach((row, i) => row.forEach((number, j) => {
    const own = Number.isNaN(number) ? Infinity : Math.abs(number);
    if (own > size) [best, size] = [[i, j], own];
  }));
  return best;
}

/** Numbers paired as broadcasting pairs them. */
function paired(one, other, act) {
  const rows = Math.max(one.length, other.length), columns = Math.max(one[0].length, other[0].length);
  const at = (table, i, j) => table[table.length > 1 ? i : 0][table[0].length > 1 ? j : 0];
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (__, j) => act(at(one, i, j), at(other, i, j))));
}

const whereIs = (say, rows, [i, j], what = "number") => (rows.length > 1 ? say("at row", { what, number: j + 1, row: i + 1 }) : say("at", { what, number: j + 1 }));
const nameOf = ([before, below], number) => before + (below ? subscripted(number + 1) : number + 1);
const classOf = (row, threshold) => (row.length === 1 ? Number(row[0] >= threshold) : row.reduce((best, x, at) => (x > row[best] ? at : best), 0) + 1);

const REMARKS = {
  shown: ({ key, inputs, say }) => say("shows", { node: key, what: Object.keys(inputs).join(", ") || "nothing" }),

  calculated({ key, say, value, numbers, line }) {
    const rows = rowsOf(value), [i, j] = furthest(rows), top = say(rows[i][j] >= 0 ? "largest" : "furthest");
    return say("calculated", { node: key, line: line(i, j), which: numbers.length === 1 ? "" : say("calculated which", { top }) });
  },

  top_number({ say, value, port }) {
    const rows = rowsOf(value), [i, j] = furthest(rows), number = rows[i][j];
    if (!i && !j) return ""; // the formula is that of the first number
    return say("top number", { top: say(number >= 0 ? "largest" : "furthest"), left: labelOf(port, value, [i, j]), number: show(number) });
  },

  held_many({ key, known, say, value, numbers }) {
    if (known.dataset || numbers.length <= 4) return "";
    const least = show(minimum(numbers)), most = show(maximum(numbers));
    return say("holds many", { node: key, shape: sizeOf(value), span: say(least === most ? "all alike" : "span", { least, most }) });
  },

  added_up({ key, known, say, value, numbers }) {
    const parts = { node: key, inputs: known.width, s: known.width === 1 ? "" : "s" };
    if (numbers.length === 1) return say("added up one", { ...parts, number: show(numbers[0]) });
    const rows = rowsOf(value), [i, j] = furthest(rows), number = rows[i][j];
    return say("added up many", { ...parts, where: whereIs(say, rows, [i, j], "neuron"), sum: say(number >= 0 ? "largest sum" : "furthest sum"), number: show(number) });
  },

  activated({ key, known, given, say, value, numbers }) {
    const z = given("z"), a = rowsOf(value);
    if (known.shares) {
      const [i, j] = furthest(a);
      return say("shares", { node: key, width: z[0].length, where: whereIs(say, a, [i, j]), number: show(a[i][j]) });
    }
    const [i, j] = furthest(paired(z, a, (x, y) => x - y)), before = z[i][j], after = a[i][j];
    if (before === after) return say("passed", { node: key, number: show(before) });
    const which = numbers.length === 1 ? "" : say("activated which", { where: whereIs(say, a, [i, j]) });
    return say("activated", { node: key, verb: say(known.verb), before: show(before), after: show(after), which });
  },

  furthest_off(step) {
    const { inputs, given, say } = step;
    if (!inputs.a || !inputs.y) return REMARKS.top_number(step);
    const off = paired(given("a"), given("y"), (a, y) => a - y), [i, j] = furthest(off), number = off[i][j];
    const distance = say(number > 0 ? "above" : number ? "below" : "on target", { number: show(Math.abs(number)) });
    return off.flat().length === 1 ? say("the output", { distance }) : say("furthest off", { where: whereIs(say, off, [i, j], "output"), distance });
  },

  judged({ key, known, given, say, numbers }) {
    if (numbers.length > 1) {
      const count = numbers.reduce((sum, hit) => sum + hit, 0);
      return say("hits", { node: key, count, s: count === 1 ? "" : "s", rows: numbers.length });
    }
    const [a, y] = [given("a")[0], given("y")[0]], said = classOf(a, known.threshold), right = classOf(y, known.threshold);
    return say("judged", { node: key, what: `${a.length > 1 ? "output" : "class"} ${said}`, right, verdict: say(said === right ? "hit" : "miss") });
  },

  sent_back({ key, known, given, say }) {
    const deltas = given("delta"), shares = sharesOfBlame(given("weights"), deltas);
    const [j, i] = furthest(shares);
    if (!shares[j][i]) return say("no blame", { node: key });
    return say("answers", { who: nameOf(known.before, i), share: percent(shares[j][i]), whose: whereIs(say, deltas, [0, j], known.layer || "output") });
  },

  sloped({ key, known, given, say, value, numbers }) {
    const delta = rowsOf(value), blame = paired(given("blame"), delta, (b) => b), [i, j] = furthest(paired(blame, delta, (b, d) => b - d));
    const where = numbers.length > 1 ? say("sloped where", { where: whereIs(say, delta, [i, j]) }) : "";
    return say("sloped", { node: key, blame: show(blame[i][j]), delta: show(delta[i][j]), activation: known.activation, where });
  },

  moved({ known, given, say, value, numbers }) {
    const change = paired(rowsOf(value), given("parameter"), (x, y) => x - y), [i, j] = furthest(change), deep = Array.isArray(value[0]);
    if (!change[i][j]) return say("not moved", { name: known.name });
    let where = "", most = "";
    if (numbers.length > 1) {
      const met = deep && known.layer, number = (deep ? [i, j] : [j]).map((each) => each + 1).join(", ");
      const place = met ? `${nameOf(known.before, j)} meets ${known.layer} ${i + 1}` : `${known.layer || known.bias || "number"} ${number}`;
      where = say(met ? "most where" : "most at", { place });
      most = say("at most");
    }
    return say("moved", { name: known.name, most, number: show(Math.abs(change[i][j])), where });
  },
};
