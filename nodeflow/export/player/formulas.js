// Formulas with their numbers: trees that Python made of its own, filled from the cells and written.

const SHOWN = 6; // terms of a sum that are written out; longer sums keep one fewer, the largest
const NO_TERM = ["nothing"];
const SUBSCRIPTS = "₀₁₂₃₄₅₆₇₈₉";
const subscripted = (words) => String(words).replace(/\d/g, (digit) => SUBSCRIPTS[digit]);

/** What explains the steps of a graph: their formulas, and what there is to say besides. */
function explained(index) {
  return {
    formula: (run, place) => formulaOf(run, index.formulas[place], run.schedule.order[place]),
    remark: (run, place) => (index.remarks ? remarkOf(run, index, place) : ""),
  };
}

/** A step's formula with the numbers of its first output number, in one line. */
function formulaOf(run, { tree, outputs, symbols }, key) {
  if (!outputs.length) return symbols;
  const values = outputs.map((port) => [port, run.value(`${key}.${port}`)]);
  if (!tree) return values.map(([port, value]) => `${port} = ${listed(value)}`).join(", ");
  return lineOf(run, tree, values[0], `${key}.${values[0][0]}`);
}

function lineOf(run, tree, [port, value], address) {
  const result = show(run.cell(address, 0, 0) ?? flat(value)[0]), body = worded(filledIn(tree, run, address));
  return `${labelOf(port, value, [0, 0])} = ${body}${body === result ? "" : ` = ${result}`}`;
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
  if (head === "?") return filledIn(parts[evaluated(filledIn(parts[0], run)) ? 1 : 2], run);
  if (head === "+rows") {
    const terms = [], rows = run.schedule.samples(updateInView(run));
    for (let row = 0; row < rows; row++) terms.push(filledIn(inRow(parts[0], row, run), run));
    return sumOf(terms);
  }
  const found = parts.map((part) => filledIn(part, run));
  if (head === "+") return sumOf(found);
  if (head === "largest" || head === "place") {
    const values = found.map(evaluated), place = values.reduce((best, x, at) => (x > values[best] ? at : best), 0);
    return head === "largest" ? found[place] : place + 1;
  }
  return head === "difference" ? evaluated(found[0]) - evaluated(found[1]) : [head, ...found];
}

/** The update that the step in view belongs to. */
function updateInView(run) { return run.within || !run.at.once ? run.at.update : run.at.update - 1; }

function inRow(tree, row, run) {
  if (!Array.isArray(tree)) return tree;
  const [head, address, , column] = tree;
  if (head === "@") return run.data.slots[address][1] === 0 ? ["@", address, row, column] : tree;
  return tree.map((each) => inRow(each, row, run));
}

function sumOf(terms) {
  const found = terms.filter((each) => each !== undefined && each[0] !== "nothing");
  return found.length === 1 ? found[0] : found.length ? ["+", ...found] : NO_TERM;
}

const OPERATIONS = {
  "+": (...terms) => terms.reduce((sum, x) => sum + x, 0), "*": (...factors) => factors.reduce((product, x) => product * x, 1),
  neg: (x) => -x, "-": (x, y) => x - y, "/": (x, y) => x / y, "^": (x, y) => x ** y, "**": (x, y) => x ** y,
  "<": (x, y) => x < y, ">": (x, y) => x > y, "=": (x, y) => x === y, ">=": (x, y) => x >= y, nothing: () => 0,
  max: Math.max, min: Math.min, abs: Math.abs, exp: Math.exp, log: Math.log, sqrt: Math.sqrt, sin: Math.sin, cos: Math.cos,
  tanh: Math.tanh, sign: Math.sign, step: (x) => Number(x > 0), sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** What a filled tree comes to: for choices and for the order of terms, not for the network. */
function evaluated(part) {
  if (typeof part === "number") return part;
  const [head, ...parts] = part;
  return OPERATIONS[head](...parts.map(evaluated));
}

/** A filled tree as a person writes it; `level` is how tightly its surroundings bind. */
function worded(part, level = 0, first = true) {
  const opening = level === 0 || (level === 1 && first);
  if (part === NO_TERM || (Array.isArray(part) && part[0] === "nothing")) return "0";
  if (typeof part === "number") {
    const words = show(part);
    return words.startsWith("−") && !opening ? `(${words})` : words;
  }
  const [words, binds] = composed(part);
  return (binds <= 1 ? opening : level <= binds) ? words : `(${words})`;
}

/** The text of an operation, and how tightly it binds. */
function composed([head, ...parts]) {
  const [one, two] = parts;
  switch (head) {
    case "+": return [added(parts), 1];
    case "-": return [`${worded(one, 1)} − ${worded(two, 2)}`, 1];
    case "neg": return [`−${worded(one, 3)}`, 1];
    case "*": return [[worded(one, 2), ...parts.slice(1).map((each) => worded(each, 3))].join("·"), 2];
    case "/": return [`${worded(one, 2)} / ${worded(two, 3)}`, 2];
    case "^": {
      const power = worded(two, 4);
      return [worded(one, 4) + (power === "2" ? "²" : `^${power}`), 3];
    }
    case "exp": return [`e^${worded(one, 4)}`, 3];
    case "log": return [`ln(${worded(one)})`, 4];
    case "abs": return [`|${worded(one)}|`, 4];
    case "sqrt": return [`√(${worded(one)})`, 4];
    default: return [`${head}(${parts.map((each) => worded(each)).join(", ")})`, 4];
  }
}

/** A sum; of a long one the largest terms, in their order, and what the others are. */
function added(terms) {
  const inARow = (some) => some.map((term, at) => worded(term, 1, at === 0)).join(" + ");
  if (terms.length <= SHOWN) return inARow(terms);
  const values = terms.map(evaluated), sizes = values.map((x) => (Number.isNaN(x) ? Infinity : Math.abs(x)));
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
