// Conditions as text: read into parts, or refused with the place where reading stopped.
//
// The tables are Python's (`language` of nodeflow/playback/grammar.py): signs, words, functions, how
// tightly each binds, and the sentences. A part is `{head, value, parts, truth, start, end, depth}`.

/** What is known of the names in a graph: which outputs a node has, and whether there are costs and data. */
function namesIn(index) {
  const outputs = new Map(Object.entries(index.nodes).map(([key, { outputs: own }]) => [key, own.map(([address]) => address.slice(key.length + 1))]));
  const nodes = Object.values(index.nodes);
  return {
    outputs: (node) => outputs.get(node) ?? [], has: (node) => outputs.has(node), all: () => [...outputs].flatMap(([key, ports]) => ports.map((port) => `${key}.${port}`)),
    nodes: () => [...outputs.keys()], cost: nodes.some(({ family }) => family === "cost"), dataset: nodes.some(({ type }) => type === "dataset"),
  };
}

/** A condition, or an expression, that fails at a place in its text. */
function failing(language, text, start, why) {
  return new Error(sayer(language.sentences)("fails", { place: [...text.slice(0, start)].length + 1, why }));
}

/** Reads a text: first into tokens `{kind, text, start, end}`, then into parts. */
class ConditionReader {
  constructor(language, text, names) {
    Object.assign(this, { language, text, names, level: 0, place: 0 });
    this.say = sayer(language.sentences);
    const count = [...text].length, most = language.longest;
    if (count > most) throw this.fault("too long", [...text].slice(0, most).join("").length, { count, most });
    this.known = new Set([...language.words, ...language.functions, ...language.keywords]);
    this.tokens = this.readTokens();
  }

  fault(name, start, parts = {}) { return failing(this.language, this.text, start, this.say(name, parts)); }

  // -- tokens

  readTokens() {
    const { number, sign, same } = this.language, { text } = this, found = [];
    const token = new RegExp(`(?<space>\\s+)|(?<number>${number})|(?<name>[\\p{L}\\p{Nl}\\p{No}](?:[\\p{L}\\p{N}_.-]|[^\\0-\\x7f\\s≤≥≠−×·÷])*)|(?<sign>${sign})`, "uy");
    for (let at = 0; at < text.length;) {
      token.lastIndex = at;
      const groups = token.exec(text)?.groups;
      if (!groups) throw this.fault("no sign", at, { sign: String.fromCodePoint(text.codePointAt(at)) });
      let [kind, words] = Object.entries(groups).find(([, each]) => each !== undefined);
      if (kind === "name") [kind, words] = this.longestName(words);
      const end = at + words.length;
      if (kind === "word") words = words.toLowerCase();
      if (kind !== "space") found.push({ kind, text: Object.hasOwn(same, words) ? same[words] : words, start: at, end });
      at = end;
    }
    return [...found, { kind: "end", text: "", start: text.length, end: text.length }];
  }

  /** The longest name there is: what follows its `-` is then subtracted. */
  longestName(text) {
    for (let cut = text.length; cut > 0; cut = text.lastIndexOf("-", cut - 1)) {
      const name = text.slice(0, cut);
      if (this.isAddress(name)) return ["name", name];
      if (this.known.has(name.toLowerCase())) return ["word", name];
      if (this.names.has(name)) return ["name", name];
    }
    return ["name", text];
  }

  isAddress(name) { return name.includes(".") && this.names.outputs(nodeOf(name)).includes(name.slice(name.lastIndexOf(".") + 1)); }

  get now() { return this.tokens[this.place]; }

  /** The next token if it is one of these; reading goes on behind it. */
  take(...texts) { return texts.includes(this.now.text) ? this.tokens[this.place++] : null; }

  expect(sign) {
    const found = this.take(sign);
    if (!found) throw this.fault("no bracket", this.now.start, { sign, next: this.next() });
    return found;
  }

  next() { return this.now.kind === "end" ? this.say("end") : `'${this.now.text}'`; }

  // -- parts

  /** A part that ends where the last token did. */
  made(head, parts, start, value = null, truth = false) {
    const depth = 1 + Math.max(0, ...parts.map((part) => part.depth)), most = this.language.deepest;
    if (depth > most) throw this.fault("too deep", start, { most });
    return { head, value, parts, truth, start, end: this.tokens[this.place - 1].end, depth };
  }

  condition() { return this.asTruth(this.whole("condition")); }

  whole(what) {
    if (this.now.kind === "end") throw this.fault(`no ${what}`, 0);
    const found = this.expression(0);
    if (this.now.kind !== "end") throw this.fault("no operator", this.now.start, { next: this.next() });
    return found;
  }

  asTruth(part) {
    if (!part.truth) throw this.fault("no truth", part.start, { what: this.text.slice(part.start, part.end) });
    return part;
  }

  asNumber(part) {
    if (part.truth) throw this.fault("no number", part.start, { what: this.text.slice(part.start, part.end) });
    return part;
  }

  /** Read on as long as operators bind more tightly than `level`. */
  expression(level) {
    const { binds, deepest: most } = this.language;
    if (++this.level > most) throw this.fault("too deep", this.now.start, { most });
    let left = this.prefix();
    for (;;) {
      const own = Object.hasOwn(binds, this.now.text) ? binds[this.now.text] : 0;
      if (own <= level) break;
      left = this.infix(left, own);
    }
    this.level--;
    return left;
  }

  infix(left, binds) {
    const { relation, power, changes } = this.language, token = this.tokens[this.place++], { start } = left, head = token.text;
    if (changes.includes(head)) {
      const sign = head === "changes" && this.take("sign");
      this.onlyNow(this.asNumber(left), token);
      return this.made(sign ? "changes sign" : head, [left], start, null, true);
    }
    if (binds === relation) return this.relation(left, head);
    if (head === "and" || head === "or") {
      const right = this.asTruth(this.expression(binds));
      return this.made(head, [this.asTruth(left), right], start, null, true);
    }
    this.asNumber(left);
    const right = this.asNumber(this.expression(binds - Number(binds === power)));
    return this.made(head, [left, right], start);
  }

  relation(left, sign) {
    const { relation, relations } = this.language, parts = [this.asNumber(left)], signs = [];
    for (let token = { text: sign }; token; token = this.take(...relations)) {
      signs.push(token.text);
      parts.push(this.asNumber(this.expression(relation)));
    }
    return this.made("relation", parts, left.start, signs, true);
  }

  prefix() {
    const { negative, not, functions, words } = this.language, token = this.tokens[this.place++], { kind, text, start } = token;
    if (kind === "number") return this.made("number", [], start, Number(text));
    if (kind === "name") return this.name(token);
    if (kind === "sign" && text === "(") {
      const inner = this.expression(0), { end } = this.expect(")");
      return { ...inner, start, end };
    }
    if (kind === "sign" && text === "-") return this.made("negative", [this.asNumber(this.expression(negative))], start);
    if (kind === "sign" && text === "+") return this.asNumber(this.expression(negative));
    if (kind === "word" && text === "not") return this.made("not", [this.asTruth(this.expression(not))], start, null, true);
    if (kind === "word" && text === "nan" && this.now.text === "appears") return this.nanAppears(start);
    if (kind === "word" && functions.includes(text)) return this.call(text, token);
    if (kind === "word" && words.includes(text)) return this.word(text, start);
    this.place--;
    throw this.fault("no value", start, { next: this.next() });
  }

  nanAppears(start) {
    this.take("appears");
    const inside = this.take("in") ? [this.asNumber(this.expression(this.language.relation))] : [];
    return this.made("nan appears", inside, start, null, true);
  }

  call(name, token) {
    const { ofSeveral, truthsOfTruth, truthsOfNumber } = this.language;
    if (!this.take("(")) throw this.fault("no call", this.now.start, { name, next: this.next() });
    const parts = [this.expression(0)];
    while (this.take(",")) parts.push(this.expression(0));
    this.expect(")");
    if (parts.length > 1 && !ofSeveral.includes(name)) throw this.fault("too many", token.start, { name, count: parts.length });
    if (!truthsOfTruth.includes(name)) parts.forEach((part) => this.asNumber(part));
    else if (!parts[0].truth) throw this.fault("no comparison", parts[0].start, { name });
    if (name === "previous" || name === "change") this.onlyNow(parts[0], token);
    return this.made(name, parts, token.start, null, truthsOfTruth.includes(name) || truthsOfNumber.includes(name));
  }

  onlyNow(part, token) {
    const inner = partsOf(part).find(({ head }) => head === "previous" || head === "change");
    if (inner) throw this.fault("within", inner.start, { head: inner.head, name: token.text });
  }

  word(word, start) {
    const { epochal } = this.language;
    if ((epochal.includes(word) || word === "cost") && !this.names.cost) throw this.fault("no cost", start, { word });
    if (word.startsWith("test_") && !this.names.dataset) throw this.fault("no dataset", start, { word });
    return this.made("word", [], start, word);
  }

  // -- names

  name(token) {
    const address = this.isAddress(token.text) ? token.text : this.onlyOutput(token);
    const indices = this.take("[") ? this.indices() : [];
    return this.made("port", [], token.start, [address, indices]);
  }

  indices() {
    const found = [];
    do {
      const token = this.now;
      if (token.kind !== "number" || !/^\d{1,9}$/.test(token.text)) throw this.fault("no place", token.start);
      this.place++;
      found.push(Number(token.text));
    } while (this.take(","));
    this.expect("]");
    return found;
  }

  onlyOutput({ text: name, start, end }) {
    const { names, language } = this, ports = names.outputs(name), node = nodeOf(name), own = names.outputs(node);
    if (ports.length === 1) return `${name}.${ports[0]}`;
    if (names.has(name)) throw ports.length ? this.fault("several outputs", start, { node: name, one: `${name}.${ports[0]}` }) : this.fault("no output", start, { node: name });
    if (this.now.text === "(" && this.now.start === end) throw this.fault("no function", start, { name, hint: nearest(name.toLowerCase(), language.functions) });
    if (name.includes(".") && own.length) {
      throw this.fault("no such output", start, { node, port: name.slice(node.length + 1), there: own.map((each) => `${node}.${each}`).join(", ") });
    }
    const hint = nearest(name, [...names.all(), ...names.nodes(), ...language.words]);
    throw this.fault("unknown", start, { name, minus: name.includes("-") ? this.say("minus") : "", hint });
  }
}

/** A part and all within it. */
const partsOf = (part) => [part, ...part.parts.flatMap(partsOf)];

const LOOKS_BACK = ["previous", "change", "changes sign"];

/**
 * What is read of a text: `{text, root, ports, words, epochal, looksBack, place}`. A pass has all of it
 * after the place `place`; ports of parameters are those where their update has made them, `now` the
 * ones that the pass began with.
 */
function readFrom(index, run, text, { truth = true, now = false } = {}) {
  const { language } = index, reader = new ConditionReader(language, text, index.names ??= namesIn(index));
  const root = truth ? reader.condition() : reader.whole("expression"), parts = partsOf(root);
  const newest = (address) => (!now && Object.hasOwn(index.newest, address) ? index.newest[address] : address);
  const looking = parts.find(({ head }) => LOOKS_BACK.includes(head) || language.changes.includes(head));
  if (!truth && looking) throw failing(language, text, looking.start, sayer(language.sentences)("now alone"));
  const everything = parts.some(({ head, parts: inner }) => head === "nan appears" && !inner.length);
  for (const part of parts) if (part.head === "port") part.value = [newest(part.value[0]), part.value[1], part.value[0]];
  const own = everything ? index.names.all() : parts.filter(({ head }) => head === "port").map(({ value }) => value[2]);
  const ports = [...new Set(own.map(newest))], words = [...new Set(parts.filter(({ head }) => head === "word").map(({ value }) => value))];
  const places = ports.map((address) => run.schedule.places.get(nodeOf(address)));
  if (words.includes("cost") && run.data.cost) places.push(run.schedule.places.get(nodeOf(run.data.cost)));
  return {
    text, root, ports, words, language, epochal: words.some((word) => language.epochal.includes(word)), looksBack: Boolean(looking),
    place: Math.max(0, ...places.filter((each) => each !== undefined)),
  };
}
