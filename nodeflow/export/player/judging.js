// What conditions and expressions come to. `seen` says what is known: `port(address)` and `word(name)`,
// null where there is no value yet. What is not known makes a condition neither true nor false (null).

/** An array with its shape; a number has the shape []. */
const arrayOf = (value) => ({ shape: shapeOf(value), flat: [value].flat(Infinity) });
const single = (value) => ({ shape: [], flat: [value] });

/** Whether arrays can meet: sizes are the same from behind, or 1. */
function canMeet(arrays) {
  const depth = maximum(arrays.map(({ shape }) => shape.length));
  return Array.from({ length: depth }, (_, at) => new Set(arrays.map(({ shape }) => shape.at(-1 - at) ?? 1).filter((size) => size !== 1))).every(({ size }) => size <= 1);
}

/** Apply a function number by number, as NumPy does: a size of 1 meets any. */
function meeting(act, ...arrays) {
  const depth = maximum(arrays.map(({ shape }) => shape.length));
  const shapes = arrays.map(({ shape }) => [...Array(depth - shape.length).fill(1), ...shape]);
  const shape = shapes.reduce((all, each) => all.map((size, at) => (size === 1 ? each[at] : size)), Array(depth).fill(1));
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

/** Finds numbers and truths of what was read; `singly` is set within any(…) and all(…), where truths are found number by number. */
class Judge {
  constructor(run, read, now, before = null) { Object.assign(this, { run, read, now, before, singly: false }); }

  refuse(part, name, parts) {
    const { language, text } = this.read;
    throw failing(language, text, part.start, sayer(language.sentences)(name, parts));
  }

  all(found) { return this.singly ? found : single(found.flat.every(Boolean)); }

  any(found) { return this.singly ? found : single(found.flat.some(Boolean)); }

  /** Apply a function to the values of a part's inner parts, which have to fit each other. */
  meet(part, act, values) {
    if (!canMeet(values)) this.refuse(part, "cannot meet", { sizes: [...new Set(values.map(({ shape }) => shape.join("×") || 1))].join(" and ") });
    return meeting(act, ...values);
  }

  /** The values of all inner parts; null if one is not known. */
  inner(part) {
    const found = part.parts.map((each) => this.value(each));
    return found.includes(null) ? null : found;
  }

  /** A value now and a pass before; null where the batch had another size. */
  pair(part) {
    const now = this.value(part);
    if (now === null || this.before === null) return null;
    const sizes = (seen) => partsOf(part).filter(({ head }) => head === "port").map(({ value: [address] }) => String(shapeOf(seen.port(address) ?? NaN)));
    if (!sameText(sizes(this.now), sizes(this.before))) return null;
    const earlier = Object.assign(new Judge(this.run, this.read, this.before), { singly: this.singly }).value(part);
    return earlier && [now, earlier];
  }

  /** What a part comes to: an array of numbers or truths, null where something is not known. */
  value(part) {
    const { head, value, parts } = part;
    switch (head) {
      case "number": return single(value);
      case "word": {
        const found = this.now.word(value);
        return found === null ? null : single(found);
      }
      case "port": return this.port(part);
      case "not": {
        const found = this.value(parts[0]);
        return found && meeting((truth) => !truth, found);
      }
      case "and": case "or": return this.joined(part);
      case "any": case "all": return this.ofEach(part);
      case "relation": {
        const found = this.inner(part);
        return found && this.all(this.meet(part, (...row) => value.every((sign, at) => RELATIONS[sign](row[at], row[at + 1])), found));
      }
      case "nan appears": {
        if (!parts.length) return single(this.now.all().some((numbers) => !numbers.every(Number.isFinite)));
        const found = this.value(parts[0]);
        return found && this.any(meeting((number) => !Number.isFinite(number), found));
      }
      case "nan": case "infinite": {
        const found = this.value(parts[0]);
        return found && this.any(meeting(head === "nan" ? Number.isNaN : (number) => Math.abs(number) === Infinity, found));
      }
      case "previous": return this.pair(parts[0])?.[1] ?? null;
      case "change": {
        const found = this.pair(parts[0]);
        return found && meeting((now, old) => now - old, ...found);
      }
    }
    if (Object.hasOwn(CHANGED, head)) {
      const found = this.pair(parts[0]);
      if (!found) return null;
      const changed = meeting(CHANGED[head], ...found);
      return head.startsWith("changes") ? this.any(changed) : this.all(changed);
    }
    return this.calculated(part);
  }

  /** Join by and, or: what is not known counts only where the other does not decide. */
  joined(part) {
    const found = part.parts.map((each) => this.value(each)), known = found.filter((each) => each !== null), both = part.head === "and";
    const joined = known.length ? this.meet(part, both ? (...truths) => truths.every(Boolean) : (...truths) => truths.some(Boolean), known) : null;
    if (both && known.some((each) => !each.flat.some(Boolean))) return single(false);
    if (!both && known.some((each) => each.flat.every(Boolean))) return single(true);
    return known.length < found.length ? null : joined;
  }

  ofEach({ head, parts }) {
    const outside = this.singly;
    this.singly = true;
    const found = this.value(parts[0]);
    this.singly = outside;
    return found && single(head === "any" ? found.flat.some(Boolean) : found.flat.every(Boolean));
  }

  calculated(part) {
    const { head } = part, found = this.inner(part);
    if (!found) return null;
    if (found.length === 1 && Object.hasOwn(TO_ONE, head)) return single(TO_ONE[head](found[0].flat));
    const act = head === "negative" ? SIGNS.neg : operation(this.run, head);
    if (found.length === 1) return meeting(act, found[0]);
    return this.meet(part, (first, ...others) => others.reduce((left, right) => act(left, right), first), found);
  }

  port(part) {
    const [address, indices, name] = part.value, value = this.now.port(address);
    if (value === null) return null;
    let inside = value;
    for (const index of indices) inside = Array.isArray(inside) ? inside[index] : undefined;
    if (inside === undefined) this.refuse(part, "not there", { address: name, size: shapeOf(value).join("×") || 1, places: indices.join(", ") });
    return arrayOf(inside);
  }
}

/** What was read comes to at a moment: an array, null where something is not known. */
const judged = (run, read, now, before = null) => new Judge(run, read, now, before).value(read.root);

/** Whether a condition holds: what is not known does not. */
const holds = (run, read, now, before = null) => judged(run, read, now, before)?.flat[0] === true;
