// Computes a graph in the page: the rows of Python's tape, executed by its kernel in WebAssembly.
//
// What is here knows time and memory, as Python's run does, and no arithmetic of networks: rows,
// operands, starts and the order of everything are data that Python wrote.

const STACK = 65536; // bytes that functions of the kernel may use
const LANES = 8; // numbers that are read at once: so many lie behind the last value
const MOST_LINES = 256; // epochs of a chunk
const CHUNK_MS = 30; // how long a chunk of training takes, so that the page goes on to answer
const MOST_KEPT = 64e6; // bytes of checkpoints
const PHASES = ["forward", "backward", "update"];

const isFinite64 = (numbers) => numbers.every(Number.isFinite);

function nearest(word, known) {
  const near = known.map((each) => [distance(word, each), each]).sort(([a], [b]) => a - b)[0];
  return near && near[0] <= Math.max(2, word.length / 3) ? `; did you mean '${near[1]}'?` : "";
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}

// --- memory and kernel --------------------------------------------------------------------------

/** The upper and lower halves of a product of 128 bits: what LLVM calls where a processor has it. */
function multiplier(memory) {
  return (at, aLow, aHigh, bLow, bHigh) => {
    const unsigned = (n) => BigInt.asUintN(64, n);
    const a = (unsigned(aHigh) << 64n) | unsigned(aLow), b = (unsigned(bHigh) << 64n) | unsigned(bLow);
    const product = BigInt.asUintN(128, a * b), view = new DataView(memory.buffer);
    view.setBigUint64(at, product & 0xffffffffffffffffn, true);
    view.setBigUint64(at + 8, product >> 64n, true);
  };
}

/** Cells and the rows that change them; it knows updates and samples, but no history. */
class Machine {
  static async made(data, bytes) {
    if (!globalThis.WebAssembly) throw new Error("This browser has no WebAssembly, or it is turned off: this page computes with it.");
    const machine = new Machine(data);
    const { memory, table } = machine;
    const pointer = new WebAssembly.Global({ value: "i32", mutable: true }, machine.stackTop);
    const env = {
      __linear_memory: memory, __indirect_function_table: table, __stack_pointer: pointer,
      __multi3: multiplier(memory),
    };
    const { instance } = await WebAssembly.instantiate(bytes.kernel, { env }).catch((error) => {
      throw new Error(`This browser cannot compute this page (${error.message}): open it in a newer one.`);
    });
    machine.kernel = instance.exports;
    data.functions.forEach((name, place) => table.set(place + 1, instance.exports[name]));
    if (bytes.straight) {
      const made = await WebAssembly.instantiate(bytes.straight, { env: { ...env, run: instance.exports.run } });
      machine.straight = made.instance.exports;
    }
    return machine;
  }

  constructor(data) {
    this.data = data;
    this.single = data.real === "float";
    this.bytes = this.single ? 4 : 8;
    this.table = new WebAssembly.Table({ initial: data.functions.length + 1, element: "anyfunc" });
    this.lines = Math.max(1, Math.min(MOST_LINES, Math.floor(4e6 / (this.bytes * data.state + 1))));
    let end = data.low;
    const place = (size) => (end = (end + 15) & ~15, (end += size) - size);
    place(STACK);
    this.stackTop = end;
    const total = data.rows + data.apart;
    const at = this.at = {
      context: place(8 * data.context.length), stats: place(64), order: place(8 * total),
      feed: place(this.bytes * (total * data.width + LANES)), history: place(32 * this.lines),
      states: place(this.bytes * this.lines * data.state), ops: place(128 * data.ops.length + 128),
      fast: place(128 * data.fast.length + 128), cells: place(this.bytes * (data.size + LANES)),
    };
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536) + 1 });
    const buffer = this.memory.buffer, Reals = this.single ? Float32Array : Float64Array;
    this.words = new Int32Array(buffer);
    this.longs = new BigInt64Array(buffer, at.context, data.context.length);
    this.stats = new Float64Array(buffer, at.stats, 8);
    this.order = new Int32Array(buffer, at.order, 2 * total); // the upper halves stay 0
    this.feed = new Reals(buffer, at.feed, total * data.width);
    this.history = new Float64Array(buffer, at.history, 4 * this.lines);
    this.states = new Reals(buffer, at.states, this.lines * data.state);
    this.cells = new Reals(buffer, at.cells, data.size + LANES);
    this.state = this.cells.subarray(0, data.state);
    this.fields = Object.fromEntries(data.context.map((name, place) => [name, place]));
    this.writeRows(at.ops, data.ops);
    this.writeRows(at.fast, data.fast);
    for (const name of ["order", "feed", "stats", "history", "states"]) this.set(name, at[name]);
    this.placed = "";
  }

  writeRows(at, rows) {
    rows.forEach((row, number) => row.forEach((operand, column) => this.writeLong(at + 128 * number + 8 * column, operand)));
  }

  writeLong(at, value) {
    this.words[at >> 2] = value | 0;
    this.words[(at >> 2) + 1] = value < 0 ? -1 : Math.floor(value / 4294967296);
  }

  set(name, value) { this.writeLong(this.at.context + 8 * this.fields[name], value); }

  /** Put everything in place but the parameters. */
  clear(constants) {
    this.cells.fill(0);
    this.putConstants(constants);
  }

  putConstants(constants) {
    for (const [at, numbers] of constants) this.cells.set(numbers, at);
  }

  /** Put the rows into the order of an epoch. */
  place(epoch) {
    if (!this.shuffled || this.placed === `${this.seed} ${epoch}`) return;
    this.kernel.shuffle(this.at.order, BigInt(this.data.rows), this.seed, BigInt(epoch));
    this.placed = `${this.seed} ${epoch}`;
  }

  /** Execute rows `begin` to `end` of a table, for a pass over samples. */
  execute(table, begin, end, { first, samples, number, count, tally = 0 }) {
    if (begin >= end) return;
    const stop = (this.at[table] + 128 * end) >> 2, held = this.words[stop];
    for (const [name, value] of Object.entries({ first, samples, number, count, tally })) this.set(name, value);
    this.words[stop] = 0;
    this.kernel.run(this.at.cells, this.at[table] + 128 * begin, this.at.context, BigInt(samples));
    this.words[stop] = held;
  }

  /** Run updates at full speed; a line of history and of states is written after each epoch. */
  train(schedule, begin, end) {
    const { data, at } = this, alone = schedule.passSize < schedule.batch;
    const loaded = schedule.perEpoch === 1 && !this.shuffled && !alone;
    const first = loaded ? Math.min(begin + 1, end) : end;
    let line = 0;
    for (const [one, other, head] of [[begin, first, 0], [first, end, data.loads]]) {
      if (one >= other) continue;
      const given = {
        begin: one, end: other, fed: data.rows, batch: schedule.batch, alone: Number(alone),
        shuffled: Number(this.shuffled), state: data.state, test_rows: data.testRows, test_most: data.testMost,
        head: at.fast + 128 * head, tail: at.fast + 128 * data.tail, test: at.fast + 128 * data.test,
        history: at.history + 32 * line, states: at.states + this.bytes * data.state * line,
      };
      for (const [name, value] of Object.entries(given)) this.set(name, value);
      this.longs[this.fields.seed] = this.seed;
      const code = this.straight && head === data.straightFrom && schedule.batch === data.batch ? this.straight : this.kernel;
      code.train(at.cells, at.context);
      line += Math.floor(other / schedule.perEpoch) - Math.floor(one / schedule.perEpoch);
    }
    this.placed = "";
  }

  /** Execute a whole update on the full rows, so that every value can be seen. */
  update(schedule, update) {
    const { data } = this, [, count] = schedule.bounds(update), samples = schedule.samples(update);
    this.place(schedule.epoch(update));
    if (schedule.endsEpoch(update)) this.stats.fill(0, 0, 4);
    let where;
    for (let number = 0; number < schedule.passes(update); number++) {
      where = { first: schedule.row(update, number), samples, number, count };
      this.execute("ops", 0, data.head, where);
    }
    this.execute("ops", data.head, data.ops.length, where);
  }

  /** An epoch's line of history: cost, hits, and those of the test rows. */
  summary() {
    const { data, stats } = this, mean = (at) => (stats[at + 2] ? stats[at] / stats[at + 2] : NaN);
    if (!data.testRows) return [mean(0), mean(1), NaN, NaN];
    stats.fill(0, 4);
    for (let at = data.rows; at < data.rows + data.testRows; at += data.testMost) {
      const samples = Math.min(data.testMost, data.rows + data.testRows - at);
      this.execute("fast", data.test, data.fast.length - 1, { first: at, samples, number: 0, count: samples, tally: 4 });
    }
    return [mean(0), mean(1), mean(4), mean(5)];
  }

  /** A value as nested arrays, or as one row of numbers where it has no rows. */
  read(address, samples) {
    const [offset, rows, cols, stride, deep] = this.data.slots[address];
    const found = [];
    for (let row = 0; row < (rows || samples); row++) {
      found.push(Array.from(this.cells.subarray(offset + row * stride, offset + row * stride + cols)));
    }
    return deep ? found : found.flat();
  }

  /** Whether everything in the cells is a finite number. */
  get finite() { return this.cells.every(Number.isFinite); }
}

// --- time ---------------------------------------------------------------------------------------

/** When which node is evaluated on which rows: Python's Schedule. */
class Schedule {
  constructor({ rows, order, phases, headNodes }, batch, loop) {
    Object.assign(this, { rows, batch, order, head: headNodes, tail: order.length - headNodes });
    this.phases = phases.map((phase) => PHASES[phase]);
    this.passSize = loop ? 1 : batch;
    this.perEpoch = Math.ceil(rows / batch);
    const last = rows - (this.perEpoch - 1) * batch;
    this.passCounts = [Math.ceil(Math.min(batch, rows) / this.passSize), Math.ceil(last / this.passSize)];
    this.passesPerEpoch = (this.perEpoch - 1) * this.passCounts[0] + this.passCounts[1];
    this.stepsPerEpoch = this.passesPerEpoch * this.head + this.perEpoch * this.tail;
    const places = order.map((_, at) => at);
    this.places = new Map(order.map((key, at) => [key, at]));
    this.marks = {
      step: places,
      phase: places.filter((at) => at === 0 || this.phases[at] !== this.phases[at - 1]),
      sample: places.filter((at) => at === 0 || at === this.head),
    };
  }

  epoch(update) { return Math.floor(update / this.perEpoch); }
  endsEpoch(update) { return update % this.perEpoch === 0; }
  bounds(update) {
    const first = (update % this.perEpoch) * this.batch;
    return [first, Math.min(this.batch, this.rows - first)];
  }
  samples(update) { return Math.min(this.passSize, this.bounds(update)[1]); }
  passes(update) { return this.passCounts[Number((update + 1) % this.perEpoch === 0)]; }
  row(update, pass) { return (update % this.perEpoch) * this.batch + pass * this.passSize; }
  passesBefore(update, pass) {
    const epoch = this.epoch(update), within = update % this.perEpoch;
    return epoch * this.passesPerEpoch + within * this.passCounts[0] + pass;
  }
  /** How many steps lie before a position. */
  number({ update, pass, place }) {
    return this.passesBefore(update, pass) * this.head + update * this.tail + place;
  }
  /** The position before which so many steps lie; never one after a whole pass. */
  position(number) {
    number = Math.max(number, 0);
    const epoch = Math.floor(number / this.stepsPerEpoch), length = this.passCounts[0] * this.head + this.tail;
    let rest = number % this.stepsPerEpoch;
    const within = Math.floor(rest / length), update = epoch * this.perEpoch + within;
    rest %= length;
    const pass = Math.min(Math.floor(rest / this.head), this.passes(update) - 1);
    return { update, pass, place: rest - pass * this.head };
  }
  startOfEpoch(epoch) { return { update: epoch * this.perEpoch, pass: 0, place: 0 }; }
  endOfPass({ update, pass }) { return pass + 1 === this.passes(update) ? this.order.length : this.head; }
  /** The position of a moment: before its sample, or after its node. */
  find(epoch, sample = 0, node = null) {
    if (sample >= this.rows) throw new Error(`sample ${sample} is beyond the epoch: it has 0 to ${this.rows - 1}`);
    if (node !== null && !this.places.has(node)) throw new Error(`no step of this run evaluates '${node}'${nearest(node, this.order)}`);
    const place = node === null ? 0 : this.places.get(node) + 1;
    const update = epoch * this.perEpoch + Math.floor(sample / this.batch);
    const pass = place > this.head ? this.passes(update) - 1 : Math.floor((sample % this.batch) / this.passSize);
    return { update, pass, place };
  }
  /** The first moment after `number` at which a step, phase, … begins. */
  after(level, number) {
    const position = this.position(number);
    if (level === "epoch") return this.number(this.startOfEpoch(this.epoch(position.update) + 1));
    if (level === "update") return this.number({ update: position.update + 1, pass: 0, place: 0 });
    const end = this.endOfPass(position), next = this.marks[level].find((at) => at > position.place);
    return number - position.place + (next === undefined ? end : Math.min(next, end));
  }
  /** The last moment before `number` at which a step, phase, … begins; at least 0. */
  before(level, number) {
    number = Math.max(number - 1, 0);
    const position = this.position(number);
    if (level === "epoch") return this.number(this.startOfEpoch(this.epoch(position.update)));
    if (level === "update") return this.number({ update: position.update, pass: 0, place: 0 });
    return number - position.place + this.marks[level].findLast((at) => at <= position.place);
  }
}

// --- a run --------------------------------------------------------------------------------------

/** A graph being stepped and trained: what Python's Run is. Moments are `{update, pass, place}`. */
class Run {
  /** `parts` are the bytes of kernel and tables, by name; of the forms all but the first take any batch. */
  static async made(forms, parts) {
    const machines = await Promise.all(forms.map((data, at) => Machine.made(data, { ...parts, straight: at ? null : parts.straight })));
    return new Run(forms, machines, parts);
  }

  constructor(forms, machines, parts) {
    Object.assign(this, { forms, machines, parts });
    this.written = new Map(); // what a person typed into settings and constants
    this.given = new Map(); // and in place of data
    this.events = []; // what was changed on the way: update, address, value
    this.typed = new Map(); // and into parameters, since the start
    this.startAgain();
  }

  /** Be as the page was made. */
  startAgain() {
    const [data] = this.forms;
    this.written.clear();
    this.given.clear();
    for (const form of this.forms) for (const each of Object.values(form.settings)) each.value = (each.first ??= each.value);
    this.use(0, data.batch);
    this.reset(data.seed);
  }

  /** Take a form of the tape, and how many rows an update has. */
  use(form, batch) {
    this.form = form;
    this.data = this.forms[form];
    this.machine = this.machines[form];
    this.loop = this.data.loop;
    this.needed = new Set(this.data.needed);
    this.constant = new Set(this.data.constant);
    this.schedule = new Schedule(this.data, batch, this.loop);
    this.machine.shuffled = this.data.shuffles && batch < this.data.rows;
    this.machine.placed = "";
  }

  /** Begin anew with another batch. */
  setBatch(size) {
    const { rows } = this.forms[0];
    if (!Number.isSafeInteger(size) || size < 1 || size > rows) throw new Error(`a batch is a whole number from 1 to the ${rows} rows, not ${size}`);
    const form = size === this.forms[0].batch || this.loop ? 0 : 1;
    if (this.data.minimize && size !== rows) throw new Error("minimize takes all rows at once");
    if (!this.forms[form]) throw new Error(`this page computes batches of ${this.forms[0].batch} only: larger ones are left to BLAS in Python`);
    this.stop();
    this.use(form, size);
    this.reset();
  }

  /** Begin anew with a seed: starts, split and order follow from it, as in Python. */
  reset(seed = this.seed) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`a seed is a whole number from 0, not ${seed}`);
    const { data, machine } = this;
    const starts = Object.keys(data.starts).map((key) => [key, started(key, this.startOf(key), seed)]);
    const feed = feedOf(data, this.parts, this.given, seed);
    this.stop();
    this.constants = data.literals.map(([at, numbers]) => [at, numbers.map(unspelled)]);
    for (const [address, value] of this.written) this.putInto(this.constants, this.cellsOf(address, value));
    this.seed = seed;
    this.fill(feed);
    machine.clear(this.constants);
    for (const [key, numbers] of starts) machine.cells.set(numbers, data.slots[`${key}.value`][0]);
    machine.stats.fill(0);
    this.start = machine.state.slice();
    this.at = { update: 0, pass: 0, place: 0, shown: 0, once: false, seen: new Set(), tallies: [0, 0, 0, 0] };
    this.kept = [{ update: 0, state: this.start, stats: machine.stats.slice(), own: false }];
    this.log = []; // lines of the history, an epoch each: cost, hits, test cost, test hits
    this.changes = []; // what was changed on the way: constants from an update on
    this.events = [];
    this.base = [...this.written]; // what held when the run began
    this.begun = machine.stats.slice();
    this.own = false; // whether weights were set by hand
    this.typed.clear();
  }

  /** How a parameter starts: as in the graph, or as a person chose. */
  startOf(key) {
    const address = `${key}.init`;
    return this.written.has(address) ? this.data.choices[address][this.written.get(address)] : this.data.starts[key];
  }

  /** Let a parameter start in another way, and put that start in place now. */
  choose(address, value) {
    const choices = this.data.choices[address], key = nodeOf(address);
    if (!Object.hasOwn(choices, value)) throw new Error(`'${address}' is one of ${Object.keys(choices).join(", ")}, not ${value}`);
    this.restartUpdate();
    this.written.set(address, value);
    this.machine.cells.set(started(key, this.startOf(key), this.seed), this.data.slots[`${key}.value`][0]);
    this.own = true;
    this.branch(address, value);
  }

  fill(feed) {
    const { data, machine } = this;
    machine.seed = BigInt(this.seed);
    machine.placed = "";
    machine.feed.set(feed);
    for (let at = 0; at < data.rows + data.apart; at++) machine.order[2 * at] = at;
  }

  /** All that a future is made of, to come back to it. */
  snapshot() {
    const { form, seed, own, start, number, typed } = this;
    return {
      form, seed, own, start, number, batch: this.schedule.batch, constants: this.constants.slice(), kept: this.kept.slice(),
      events: this.events.slice(), base: this.base, changes: this.changes.slice(), lines: this.log.slice(), written: new Map(this.written), given: new Map(this.given), typed: new Map(typed),
    };
  }

  /** Go on in another future, at the moment where it was left. */
  resume({ form, seed, own, start, number, batch, constants, kept, events, base, changes, lines, written, given, typed }) {
    this.stop();
    this.use(form, batch);
    Object.assign(this, { seed, own, start, constants, kept, events, base, changes, log: lines, written: new Map(written), given: new Map(given), typed: new Map(typed) });
    for (const [address, each] of Object.entries(this.data.settings)) each.value = written.get(address) ?? each.first;
    this.fill(feedOf(this.data, this.parts, this.given, seed));
    Object.assign(this.at, { update: 0, pass: 0, place: 0 });
    this.returnTo(0);
    this.seek(this.schedule.position(number));
  }

  // -- where it is

  get number() { return this.schedule.number(this.at); }
  get epoch() { return this.schedule.epoch(this.at.update); }

  /** The moment as a person writes it: `node` is the last one that was evaluated in this pass. */
  moment() {
    const { at, schedule } = this, { order } = schedule;
    return {
      epoch: this.epoch, sample: schedule.row(at.update, at.pass), node: at.place ? order[at.place - 1] : null,
      update: at.update, phase: schedule.phases[at.place], next: order[at.place], number: this.number,
    };
  }

  // -- what it holds

  hasValue(address) {
    const key = nodeOf(address);
    return this.at.once || this.at.seen.has(key) || this.constant.has(key);
  }

  value(address) {
    if (!Object.hasOwn(this.data.slots, address)) {
      const key = nodeOf(address), reason = this.data.problems[key];
      if (reason) throw new Error(`'${address}' has no value: ${reason}`);
      throw new Error(`there is no value '${address}'${nearest(address, Object.keys(this.data.slots))}`);
    }
    if (!this.hasValue(address)) throw new Error(`'${address}' has no value yet: step or train first`);
    return this.machine.read(address, this.samplesOf(nodeOf(address)));
  }

  /** Of when a node's value is, in words: "" if it is of the pass in view, or of no pass at all. */
  age(key) {
    const { at, schedule } = this, place = schedule.places.get(key);
    if (!at.place || place === undefined || place < at.place || this.constant.has(key) || !this.hasValue(`${key}.`)) return "";
    if (Object.hasOwn(this.data.parameters, key)) return "";
    const [update, pass] = at.pass && place < schedule.head ? [at.update, at.pass - 1] : [at.shown, schedule.passes(at.shown) - 1];
    const own = this.when(update, pass), lies = this.data.lies[key];
    if (!lies) return own;
    // No row computes it: it lies where its inputs lie, and has what they have by now.
    const parts = new Set(lies.map((source) => this.age(source)));
    if (!parts.size || (parts.size === 1 && parts.has(own))) return own;
    return parts.size === 1 && parts.has("") ? "" : `partly ${own}`;
  }

  /** A pass in words, as seen from the present epoch. */
  when(update, pass) {
    const { schedule } = this, epoch = schedule.epoch(update), row = schedule.row(update, pass), many = schedule.samples(update);
    const rows = many === 1 ? `sample ${row}` : `samples ${row} to ${row + many - 1}`;
    if (epoch === this.epoch) return `from ${rows}`;
    return schedule.perEpoch === 1 && schedule.passes(update) === 1 ? `from epoch ${epoch}` : `from epoch ${epoch}, ${rows}`;
  }

  samplesOf(key) {
    const { at, schedule } = this;
    return schedule.samples(schedule.places.get(key) < at.place ? at.update : at.shown);
  }

  /** A number that the step in view was given: parameters are new only behind the last step. */
  cell(address, row, column) {
    const { data, machine } = this, [offset, rows, , stride] = data.slots[address];
    if (row >= (rows || this.samplesOf(nodeOf(address)))) return undefined;
    const at = offset + row * stride + column;
    return at < data.state && !this.within && this.at.once ? this.before[at] : machine.cells[at];
  }

  /** A value as the step in view was given it. */
  givenTo(address) {
    const [offset, rows, cols, , deep] = this.data.slots[address];
    if (offset >= this.data.state || this.within || !this.at.once) return this.value(address);
    const found = Array.from({ length: rows || 1 }, (_, row) => Array.from({ length: cols }, (__, column) => this.cell(address, row, column)));
    return deep ? found : found.flat();
  }

  gradient(address) {
    const { numbers, gradients } = this.data;
    if (Object.hasOwn(numbers, address)) {
      const full = (value) => (Array.isArray(value) ? value.map(full) : numbers[address]);
      return full(this.value(address));
    }
    if (!Object.hasOwn(gradients, address)) throw new Error(`no blame reaches '${address}'${nearest(address, Object.keys(gradients))}`);
    return this.value(gradients[address]);
  }

  weights() {
    return Object.fromEntries(this.data.own.map((key) => [`${key}.value`, this.machine.read(`${key}.value`, 1)]));
  }

  cost() {
    const { cost } = this.data, [sum, , count] = this.at.tallies;
    if (cost === null || !Object.hasOwn(this.data.slots, cost)) return null;
    const numbers = this.value(cost).flat();
    return count ? sum / count : meanOf(numbers, this.machine.single);
  }

  /** As `cost`, but null where nothing was evaluated yet. */
  knownCost() {
    const { cost } = this.data;
    return cost !== null && this.hasValue(cost) ? this.cost() : null;
  }

  get sound() {
    const { machine, data } = this;
    return !data.trains || (isFinite64(machine.state) && isFinite64(machine.stats.subarray(0, 2)));
  }

  // -- within an update

  get within() { return Boolean(this.at.place || this.at.pass); }

  beginUpdate() {
    const { machine, schedule, at } = this;
    machine.place(schedule.epoch(at.update));
    if (schedule.endsEpoch(at.update)) machine.stats.fill(0, 0, 4);
    this.begun = machine.stats.slice();
    this.before = machine.state.slice();
  }

  execute(begin, end, pass) {
    const { schedule, at } = this;
    this.machine.execute("ops", begin, end, {
      first: schedule.row(at.update, pass), samples: schedule.samples(at.update), number: pass, count: schedule.bounds(at.update)[1],
    });
  }

  endPass() {
    const several = this.schedule.passes(this.at.update) > 1;
    this.at.tallies = Array.from(this.machine.stats.subarray(0, 4), (sum, at) => (several ? sum - this.begun[at] : 0));
  }

  /** Evaluate the nodes of this update up to a place of a pass at once. */
  runTo(pass, place) {
    const { data, schedule, at } = this, { order, head } = schedule, { spans } = data;
    if (!this.within) this.beginUpdate();
    let begin = at.place ? spans[at.place - 1][1] : 0;
    const end = place ? spans[place - 1][1] : 0;
    if (at.place < head) {
      for (let number = at.pass; number <= pass; number++) {
        const whole = number < pass || place >= head;
        this.execute(begin, whole ? data.head : end, number);
        if (whole) {
          this.endPass();
          for (let each = 0; each < head; each++) at.seen.add(order[each]);
        }
        begin = 0;
      }
    }
    if (place > head || (place === head && place === order.length)) {
      this.execute(Math.max(begin, data.head), place === order.length ? data.ops.length : end, pass);
    }
    for (let each = 0; each < place; each++) at.seen.add(order[each]);
    Object.assign(at, { pass, place });
  }

  /** Go on to a place of the present update, or to its end; where numbers go bad, find the node. */
  goOn(pass, place) {
    const { at, schedule, data, machine } = this, over = place === schedule.order.length;
    if (pass === at.pass && place === at.place) return;
    if (pass === at.pass && place === at.place + 1) this.stepNode();
    else {
      const { update } = at;
      this.runTo(pass, place);
      if (data.trains && !(over ? this.sound : machine.finite)) {
        this.returnTo(update);
        while (at.update === update && (at.pass < pass || (at.pass === pass && at.place < place))) this.stepNode();
        return;
      }
    }
    if (over && at.place === schedule.order.length) this.endUpdate();
    else if (at.place === schedule.head && at.pass + 1 < schedule.passes(at.update)) Object.assign(at, { pass: at.pass + 1, place: 0 });
  }

  /** Evaluate one node. Raises an error where a number that is not finite would spoil parameters. */
  stepNode() {
    const { at, schedule, data } = this, { order, head } = schedule, { place, pass, update } = at, key = order[place];
    this.runTo(pass, place + 1);
    if (data.trains && this.needed.has(key)) {
      const outputs = Object.keys(data.slots).filter((address) => nodeOf(address) === key);
      const bad = outputs.find((address) => !isFinite64(this.value(address).flat()));
      if (bad !== undefined && !this.comesToNothing()) {
        const what = this.value(bad).flat().some(Number.isNaN) ? "NaN" : "Infinity";
        const where = `epoch ${schedule.epoch(update)}, sample ${schedule.row(update, pass)}, ${schedule.phases[place]}`;
        this.returnTo(update);
        if (place || pass) this.runTo(pass, place);
        throw new Error(`${what} first appeared in '${bad}' (${where}); lower the learning rate, scale the data, or check the node's inputs`);
      }
    }
    if (place + 1 === order.length) this.endUpdate();
    else if (place + 1 === head && pass + 1 < schedule.passes(update)) Object.assign(at, { pass: pass + 1, place: 0 });
  }

  comesToNothing() {
    const { machine, at } = this, cells = machine.cells.slice(), stats = machine.stats.slice();
    machine.stats.set(this.begun);
    machine.update(this.schedule, at.update);
    const { sound } = this;
    machine.cells.set(cells);
    machine.stats.set(stats);
    return sound;
  }

  executeUpdate(update) {
    const { machine, at, schedule } = this;
    this.begun = machine.stats.slice();
    this.before = machine.state.slice();
    if (schedule.endsEpoch(update)) this.begun.fill(0, 0, 4);
    at.update = update;
    machine.update(schedule, update);
    this.endPass();
  }

  endUpdate() {
    const { update } = this.at;
    this.commit(update);
    if (!this.sound) {
      this.returnTo(update);
      throw this.outOfRange(update);
    }
    this.arrive(update + 1);
    if (this.schedule.endsEpoch(update + 1)) this.keep(update + 1);
  }

  outOfRange(update) {
    return new Error(`the numbers left the range of ${this.machine.single ? "float32" : "float64"} in update ${update}; lower the learning rate, or scale the data`);
  }

  arrive(update) {
    if (this.schedule.endsEpoch(update)) {
      const epoch = this.schedule.epoch(update), line = this.machine.summary();
      if (this.log.length < epoch) this.log[epoch - 1] = line;
    }
    this.standAfter(update);
  }

  standAfter(update) {
    Object.assign(this.at, { update, pass: 0, place: 0, shown: update - 1, once: true });
    this.putOwn();
  }

  // -- checkpoints, and what was changed by hand

  keep(update, own = false) {
    const { machine, kept } = this;
    const at = lastUpTo(kept, update, (each) => each.update), entry = { update, state: machine.state.slice(), stats: machine.stats.slice(), own };
    if (kept[at].update === update) { if (own || !kept[at].own) kept[at] = entry; }
    else kept.splice(at + 1, 0, entry);
    this.thin();
  }

  /** Let every other checkpoint go where they take too much memory. */
  thin() {
    const most = Math.max(16, Math.floor(MOST_KEPT / (this.machine.bytes * this.data.state + 200)));
    if (this.kept.length > most) this.kept = this.kept.filter((each, at) => at % 2 === 0 || each.own);
  }

  putOwn() {
    const { update } = this.at, entry = this.kept[lastUpTo(this.kept, update, (each) => each.update)];
    if (entry.own && entry.update === update) this.machine.state.set(entry.state);
    if (this.changes.some((change) => change.update === update)) this.putChanges(update);
  }

  /** Put constants in place as they are from an update on. */
  putChanges(update) {
    const { machine } = this;
    machine.putConstants(this.constants);
    for (const change of this.changes) if (change.update <= update) machine.putConstants(change.constants);
  }

  /** Go on from other weights or settings: what was known of the run after this moment is forgotten. */
  branch(address, value) {
    const { update } = this.at;
    this.events = [...this.events.filter(([at]) => at <= update), [update, address, value]];
    this.kept = this.kept.filter((each) => each.update === 0 || each.update < update);
    this.changes = this.changes.filter((each) => each.update <= update);
    this.keep(update, true);
    this.log.length = Math.min(this.log.length, this.schedule.epoch(update));
  }

  nextOwn(update) {
    const next = this.kept.find((each) => each.own && each.update > update);
    return next ? next.update : Infinity;
  }

  replay(begin, end) {
    const { machine, schedule, data } = this;
    while (begin < end) {
      if (data.minimize) {
        machine.update(schedule, begin);
        this.commit(begin);
        begin++;
        continue;
      }
      const next = Math.min(end, begin + this.lines(begin));
      machine.train(schedule, begin, next);
      begin = next;
    }
  }

  /** How many updates from one on have room for their lines of history. */
  lines(begin) {
    const { perEpoch } = this.schedule;
    return (this.machine.lines - 1) * perEpoch + (perEpoch - (begin % perEpoch));
  }

  restore(entry) {
    this.machine.state.set(entry.state);
    this.machine.stats.set(entry.stats);
    this.putChanges(entry.update);
  }

  returnTo(target) {
    const { machine, at } = this, before = Math.max(target - 1, 0);
    const entry = this.kept[lastUpTo(this.kept, before, (each) => each.update)];
    if (!machine.finite || target === 0) machine.clear(this.constants);
    this.restore(entry);
    this.replay(entry.update, before);
    if (target > 0) {
      this.executeUpdate(before);
      this.commit(before);
      this.standAfter(target);
    } else {
      Object.assign(at, { update: 0, pass: 0, place: 0, shown: 0, once: false, tallies: [0, 0, 0, 0] });
      at.seen.clear();
    }
  }

  /** Stand at the start of an update, or of the last one before it that is known. */
  approach(target) {
    const { at } = this, last = this.kept.at(-1).update;
    if (target === at.update && !this.within) return;
    const nearer = target <= last && this.kept[lastUpTo(this.kept, target - 1, (each) => each.update)]?.update > at.update;
    if (target <= at.update || nearer) return this.returnTo(target);
    this.finishUpdate();
    if (at.update < last && last < target) this.returnTo(last);
  }

  finishUpdate() {
    if (this.within) this.goOn(this.schedule.passes(this.at.update) - 1, this.schedule.order.length);
  }

  /** The iterations of `minimize` were found by SciPy: the weights after each are put in place. */
  commit(update) {
    const found = this.data.minimize;
    if (!found) return;
    if (this.own || this.written.size || this.given.size || this.seed !== this.data.seed) throw new Error("this page has the iterations of minimize for its own start only; reset() goes back to it");
    const iterates = found.iterates, now = iterates[Math.min(update + 1, iterates.length - 1)];
    if (update + 1 >= iterates.length && !found.ended) throw new Error(`this page has ${iterates.length - 1} iterations of minimize`);
    let at = 0;
    for (const key of found.addresses) {
      const [offset, rows, cols] = this.data.slots[key], size = Math.max(rows, 1) * cols;
      this.machine.cells.set(now.slice(at, at + size), offset);
      at += size;
    }
  }

  // -- going

  seek(position) {
    const { at } = this;
    const ahead = position.update === at.update && (position.pass > at.pass || (position.pass === at.pass && position.place >= at.place));
    if (!ahead) {
      this.approach(position.update);
      this.trainTo(position.update);
    }
    this.goOn(position.pass, position.place);
  }

  step(count = 1) {
    if (!Number.isSafeInteger(count) || count < 0) throw new Error(`step takes a whole number from 0, not ${count}`);
    this.stop();
    this.seek(this.schedule.position(this.number + count));
  }

  back(count = 1) {
    if (!Number.isSafeInteger(count) || count < 0) throw new Error(`back takes a whole number from 0, not ${count}`);
    this.stop();
    this.seek(this.schedule.position(Math.max(0, this.number - count)));
  }

  goto(epoch = this.epoch, sample = 0, node = null) {
    for (const [name, value] of Object.entries({ epoch, sample })) {
      if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number from 0, not ${value}`);
    }
    this.stop();
    const { update, pass, place } = this.schedule.find(epoch, sample, node);
    const whole = place === this.schedule.order.length;
    this.seek(whole ? { update: update + 1, pass: 0, place: 0 } : this.schedule.position(this.schedule.number({ update, pass, place })));
  }

  // -- full speed

  /** Train to the start of an update, at once. */
  trainTo(target) {
    let chunk = 256;
    while (this.at.update < target) chunk = this.trainChunk(target, chunk);
  }

  /** Train a chunk; return how long the next one should be. */
  trainChunk(target, chunk) {
    const begun = performance.now(), { at, data } = this;
    const end = Math.min(at.update + Math.min(chunk, this.lines(at.update)), target, this.nextOwn(at.update));
    if (data.minimize) {
      this.executeUpdate(at.update);
      this.endUpdate();
      return chunk;
    }
    this.trainUpTo(end);
    const spent = performance.now() - begun;
    return spent < CHUNK_MS / 2 ? chunk * (spent > CHUNK_MS / 8 ? 2 : 8) : spent > 2 * CHUNK_MS ? Math.max(1, chunk >> 1) : chunk;
  }

  trainUpTo(end) {
    const { machine, schedule, at, data } = this, begin = at.update;
    const first = schedule.epoch(begin) + 1, count = Math.max(0, schedule.epoch(end - 1) + 1 - first);
    const good = { update: begin, state: machine.state.slice(), stats: machine.stats.slice() };
    if (end - 1 > begin) machine.train(schedule, begin, end - 1);
    for (let line = 0; line < count; line++) {
      const numbers = Array.from(machine.history.subarray(4 * line, 4 * line + 4));
      if (data.trains && data.hasCost && !Number.isFinite(numbers[0])) this.findDivergence(good, schedule.startOfEpoch(first + line).update);
      if (this.log.length < first + line) this.log[first + line - 1] = numbers;
    }
    this.executeUpdate(end - 1);
    if (!this.sound) this.findDivergence(good, end);
    for (let line = 0; line < count; line++) {
      const update = schedule.startOfEpoch(first + line).update, before = this.kept.at(-1).update;
      if (update > before) {
        const state = machine.states.slice(line * data.state, (line + 1) * data.state);
        this.kept.push({ update, state, stats: new Float64Array(8), own: false });
      }
    }
    this.arrive(end);
    this.keep(end);
  }

  /** Go back to the update in which NaN or Infinity appeared, and stand before the node at fault. */
  findDivergence(good, end) {
    const { machine } = this;
    let begin = good.update;
    while (end - begin > 1) {
      const middle = (begin + end) >> 1;
      this.restore(good);
      this.replay(begin, middle);
      if (this.sound) {
        begin = middle;
        good = { update: begin, state: machine.state.slice(), stats: machine.stats.slice() };
      } else end = middle;
    }
    machine.clear(this.constants);
    this.restore(good);
    this.kept = this.kept.filter((each) => each.update <= begin);
    this.log.length = Math.min(this.log.length, this.schedule.epoch(begin));
    this.keep(begin, this.kept.at(-1).update === begin && this.kept.at(-1).own);
    this.returnTo(begin);
    while (this.at.update === begin) this.stepNode(); // it throws at the node
    this.returnTo(begin);
    throw this.outOfRange(begin);
  }

  /** Train whole epochs, in chunks between which the page goes on to answer. */
  async train(epochs, progress = () => {}) {
    if (!Number.isSafeInteger(epochs) || epochs < 0) throw new Error(`epochs must be a whole number from 0, not ${epochs}`);
    this.stop();
    this.finishUpdate();
    const begin = this.at.update, target = this.schedule.startOfEpoch(this.epoch + epochs).update, mine = (this.training = {});
    let chunk = 256;
    try {
      while (this.at.update < target && this.training === mine) {
        chunk = this.trainChunk(target, chunk);
        progress((this.at.update - begin) / (target - begin));
        await new Promise(soon);
      }
    } finally {
      if (this.training === mine) this.training = null;
    }
  }

  /** End a training at the end of its chunk. */
  stop() { this.training = null; }

  // -- changing

  restartUpdate() {
    this.stop();
    if (this.within) this.returnTo(this.at.update);
  }

  columnOf(address) { return this.data.columns.find((each) => each.address === address); }

  /** Whether a person may put numbers in place of a value. */
  canSet(address) {
    const { data } = this, key = nodeOf(address), column = this.columnOf(address);
    if (!Object.hasOwn(data.slots, address)) return false;
    return Object.hasOwn(data.parameters, key) || (column ? !column.table : this.constant.has(key));
  }

  /** Put numbers into a parameter, or in place of what a source holds. */
  set(address, value) {
    const { data } = this, key = nodeOf(address), column = this.columnOf(address);
    if (column?.table) throw new Error(`'${address}' is data of ${data.rows} rows: change a constant, or the file`);
    if (!this.canSet(address)) {
      const known = [...data.own, ...this.constant].map((each) => `${each}.value`);
      throw new Error(`there is no parameter or constant '${address}'${nearest(address, [...new Set(known)])}`);
    }
    const [offset, rows, cols, , deep] = data.slots[address], parameter = Object.hasOwn(data.parameters, key);
    const numbers = [value].flat(Infinity), shape = shapeOf(value);
    const wanted = column ? [data.rows, cols] : parameter ? data.parameters[key] : deep ? [rows, cols] : [cols];
    const size = wanted.reduce((all, each) => all * each, 1);
    const bare = (sizes) => (parameter ? sizes : sizes.slice(sizes.findIndex((each) => each !== 1))); // a constant's row may be bare
    const fits = String(bare(shape)) === String(bare(wanted));
    if (numbers.length !== size || !(fits || size === 1)) throw new Error(`'${address}' is ${wanted.join("×") || 1}; ${shape.join("×") || "a number"} cannot enter`);
    if (!numbers.every((number) => typeof number === "number" && Number.isFinite(number))) throw new Error(`'${address}' holds numbers, neither NaN nor Infinity`);
    if (column) {
      this.given.set(address, numbers);
      this.written.set(address, value);
      return this.reset();
    }
    this.restartUpdate();
    if (parameter) {
      this.machine.cells.set(numbers, offset);
      this.own = true;
      this.typed.set(address, value);
    } else {
      if (Object.hasOwn(data.settings, address)) data.settings[address].value = numbers[0];
      this.change(address, value);
    }
    this.branch(address, value);
  }

  /** Where in the cells a setting or a constant stands, and what. */
  cellsOf(address, value) {
    const { settings, slots } = this.data;
    if (this.given.has(address) || Object.hasOwn(this.data.choices ?? {}, address)) return [];
    if (typeof value === "number" && Object.hasOwn(settings, address)) return settings[address].cells.map(([at, factor, offset]) => [at, [factor * value + offset]]);
    return [[slots[address][0], [value].flat(Infinity)]];
  }

  putInto(constants, cells) {
    for (const [at, numbers] of cells) {
      const place = constants.findIndex(([each]) => each === at);
      constants.splice(place < 0 ? constants.length : place, place < 0 ? 0 : 1, [at, numbers]);
    }
  }

  /** Change constants from the present update on. */
  change(address, value) {
    const { update } = this.at, cells = this.cellsOf(address, value);
    this.written.set(address, value);
    if (update === 0) this.putInto(this.constants, cells);
    this.changes.push({ update, constants: cells });
    this.machine.putConstants(cells);
  }

  /** Change a number that was typed into a node, such as "train.rate"; the run goes on with it. */
  setting(address, value) {
    const known = this.data.settings;
    if (Object.hasOwn(this.data.choices ?? {}, address)) return this.choose(address, value);
    if (!Object.hasOwn(known, address) && Object.hasOwn(known, `${address}.value`)) address = `${address}.value`;
    const found = Object.hasOwn(known, address) ? known[address] : null;
    if (!found) throw new Error(`'${address}' cannot be changed in a page${nearest(address, Object.keys(known))}; there is ${Object.keys(known).join(", ") || "no setting"}`);
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`'${address}' is a number, not ${value}`);
    if (found.least !== null && value < found.least) throw new Error(`'${address}' is at least ${found.least}, not ${value}`);
    if (found.most !== null && value > found.most) throw new Error(`'${address}' is at most ${found.most}, not ${value}`);
    this.restartUpdate();
    for (const form of this.forms) if (Object.hasOwn(form.settings, address)) form.settings[address].value = value;
    this.change(address, value);
    this.branch(address, value);
  }
}

const soon = (() => {
  const { port1, port2 } = new MessageChannel(), waiting = [];
  port1.onmessage = () => waiting.shift()();
  return (then) => { waiting.push(then); port2.postMessage(0); };
})();

/** A number of JSON, which spells what it cannot hold. */
const unspelled = (number) => Number(number);

/** NumPy's mean of a row of costs: its order of addition follows from how many there are. */
function meanOf(numbers, single) {
  const round = single ? Math.fround : (x) => x;
  return round((0 + pairwise(numbers, 0, numbers.length, round)) / numbers.length); // its sums begin at 0: −0 is none
}

function pairwise(numbers, begin, count, round) {
  if (count < 8) {
    let sum = count ? numbers[begin] : 0;
    for (let at = 1; at < count; at++) sum = round(sum + numbers[begin + at]);
    return sum;
  }
  if (count <= 128) {
    const r = numbers.slice(begin, begin + 8);
    let at = 8;
    for (; at < count - (count % 8); at += 8) for (let lane = 0; lane < 8; lane++) r[lane] = round(r[lane] + numbers[begin + at + lane]);
    let sum = round(round(round(r[0] + r[1]) + round(r[2] + r[3])) + round(round(r[4] + r[5]) + round(r[6] + r[7])));
    for (; at < count; at++) sum = round(sum + numbers[begin + at]);
    return sum;
  }
  let half = Math.floor(count / 2);
  half -= half % 8;
  return round(pairwise(numbers, begin, half, round) + pairwise(numbers, begin + half, count - half, round));
}
