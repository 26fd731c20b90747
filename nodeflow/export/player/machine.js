// Memory, and the rows of Python's tape, executed by its kernel in WebAssembly.
//
// No arithmetic of networks is here: rows, operands and places are data that Python wrote.

const STACK = 65536; // bytes that functions of the kernel may use
const LANES = 8; // numbers that are read at once: so many lie behind the last value
const MOST_LINES = 256; // epochs of a chunk

const areFinite = (numbers) => numbers.every(Number.isFinite);

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

const modules = new WeakMap(); // what was compiled, by its bytes: several machines have one kernel

/** The functions of a WebAssembly module, with what it imports. */
async function instanceOf(bytes, env) {
  if (!modules.has(bytes)) modules.set(bytes, WebAssembly.compile(bytes));
  return (await WebAssembly.instantiate(await modules.get(bytes), { env })).exports;
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
    const kernel = await instanceOf(bytes.kernel, env).catch((error) => {
      throw new Error(`This browser cannot compute this page (${error.message}): open it in a newer one.`);
    });
    machine.kernel = kernel;
    data.functions.forEach((name, place) => table.set(place + 1, kernel[name]));
    if (bytes.straight) machine.straight = await instanceOf(bytes.straight, { ...env, run: kernel.run });
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
  get finite() { return areFinite(this.cells); }
}
