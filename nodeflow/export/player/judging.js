// Conditions and expressions of a lesson. Python has read them: here are their parts as trees
// `[head, value, parts]`, and `seen` says what is known: `port(address)` and `word(name)`, null
// where there is no value yet. What is not known makes a condition neither true nor false (null).

/** An array with its shape; a number has the shape []. */
const arrayOf = (value) => ({ shape: shapeOf(value), flat: [value].flat(Infinity) });
const single = (value) => ({ shape: [], flat: [value] });

/** Apply a function number by number, as NumPy does: a size of 1 meets any. */
function meeting(act, ...arrays) {
  const depth = Math.max(...arrays.map(({ shape }) => shape.length));
  const shapes = arrays.map(({ shape }) => [...Array(depth - shape.length).fill(1), ...shape]);
  const shape = shapes.reduce((all, each) => all.map((size, at) => {
    if (size !== each[at] && size !== 1 && each[at] !== 1) {
      throw new Error(`values of ${arrays.map((one) => one.shape.join("×") || 1).join(" and ")} numbers cannot meet: pick numbers, as in x[0]`);
    }
    return size === 1 ? each[at] : size;
  }), Array(depth).fill(1));
  const size = shape.reduce((all, each) => all * each, 1), found = [];
  for (let at = 0; at < size; at++) {
    found.push(act(...arrays.map(({ flat }, which) => {
      let rest = at, place = 0, stride = 1;
      for (let axis = depth - 1; axis >= 0; axis--) {
        const index = rest % shape[axis], own = shapes[which][axis];
        rest = (rest - index) / shape[axis];
        if (own !== 1) place += index * stride;
        stride *= own;
      }
      return flat[place];
    })));
  }
  return { shape, flat: found };
}

const CHANGED = {
  rises: (now, before) => now > before, falls: (now, before) => now < before,
  changes: (now, before) => now !== before && !(Number.isNaN(now) && Number.isNaN(before)),
  "changes sign": (now, before) => (before < 0 && now >= 0) || (before > 0 && now <= 0),
};
const totalOf = (numbers) => pairwise(numbers, 0, numbers.length, (x) => x);
const TO_ONE = {
  min: (all) => all.reduce((one, other) => Math.min(one, other)), max: (all) => all.reduce((one, other) => Math.max(one, other)), sum: totalOf, mean: (all) => totalOf(all) / all.length,
  norm: (all) => Math.sqrt(totalOf(all.map((each) => each * each))),
};

/** What a tree comes to: an array of numbers or truths, null where something is not known. */
function judge(run, tree, seen, before = null, singly = false) {
  const [head, value, parts] = tree;
  const all = (found) => (singly ? found : single(found.flat.every(Boolean)));
  const any = (found) => (singly ? found : single(found.flat.some(Boolean)));
  const each = (part) => judge(run, part, seen, before, singly);
  const numbers = () => {
    const found = parts.map(each);
    return found.includes(null) ? null : found;
  };
  const pair = () => {
    const now = each(parts[0]), old = before === null ? null : judge(run, parts[0], before, null, singly);
    return now === null || old === null || String(now.shape) !== String(old.shape) ? null : [now, old];
  };
  switch (head) {
    case "number": return single(value);
    case "word": {
      const found = seen.word(value);
      return found === null ? null : single(found);
    }
    case "port": return portOf(value, seen);
    case "not": {
      const found = each(parts[0]);
      return found === null ? null : meeting((truth) => !truth, found);
    }
    case "and": case "or": {
      const found = parts.map(each), known = found.filter((one) => one !== null);
      if (head === "and" && known.some((one) => !one.flat.some(Boolean))) return single(false);
      if (head === "or" && known.some((one) => one.flat.every(Boolean))) return single(true);
      if (known.length < found.length) return null;
      return meeting(head === "and" ? (a, b) => a && b : (a, b) => a || b, ...known);
    }
    case "any": case "all": {
      const found = judge(run, parts[0], seen, before, true);
      return found === null ? null : single(head === "any" ? found.flat.some(Boolean) : found.flat.every(Boolean));
    }
    case "relation": {
      const found = numbers();
      return found && all(meeting((...row) => value.every((sign, at) => RELATIONS[sign](row[at], row[at + 1])), ...found));
    }
    case "nan appears": {
      if (!parts.length) return single(seen.all().some((numbers) => !numbers.every(Number.isFinite)));
      const found = each(parts[0]);
      return found && any(meeting((number) => !Number.isFinite(number), found));
    }
    case "nan": case "infinite": {
      const found = each(parts[0]);
      return found && any(meeting(head === "nan" ? Number.isNaN : (number) => Math.abs(number) === Infinity, found));
    }
    case "previous": return pair()?.[1] ?? null;
    case "change": {
      const found = pair();
      return found && meeting((now, old) => now - old, ...found);
    }
  }
  if (Object.hasOwn(CHANGED, head)) {
    const found = pair();
    return found && (head.startsWith("changes") ? any : all)(meeting(CHANGED[head], ...found));
  }
  const found = numbers();
  if (!found) return null;
  if (found.length === 1 && Object.hasOwn(TO_ONE, head)) return single(TO_ONE[head](found[0].flat));
  const act = head === "negative" ? SIGNS.neg : operation(run, head);
  return found.length === 1 ? meeting(act, found[0]) : found.reduce((left, right) => meeting(act, left, right));
}

function portOf([address, indices], seen) {
  const value = seen.port(address);
  if (value === null) return null;
  let part = value;
  for (const index of indices) part = Array.isArray(part) ? part[index] : undefined;
  if (part === undefined) throw new Error(`'${address}' is ${shapeOf(value).join("×") || 1}: it has no [${indices.join(", ")}]`);
  return arrayOf(part);
}

/** Whether a condition holds: what is not known does not. */
function holds(run, tree, seen, before = null) {
  return judge(run, tree, seen, before)?.flat[0] === true;
}
