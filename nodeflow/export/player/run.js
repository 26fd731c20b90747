// A graph being stepped, trained and changed, as by Python's run: its order, starts and settings are
// data that Python wrote.

const CHUNK_MS = 30; // how long a chunk of training takes, so that the page goes on to answer
const MOST_KEPT = 64e6; // bytes of checkpoints
const MOST_AT_ONCE = 1e9; // cells of all updates that are gone through while the page does not answer: some seconds

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
    this.constants = data.literals.map(([at, numbers]) => [at, numbers.map(Number)]);
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
      const key = nodeOf(address), { problems } = this.data, reason = Object.hasOwn(problems, key) && problems[key];
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
    return !data.trains || (areFinite(machine.state) && areFinite(machine.stats.subarray(0, 2)));
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
      const bad = outputs.find((address) => !areFinite(this.value(address).flat()));
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
    this.events = [...this.events.filter(([at, other]) => at < update || (at === update && other !== address)), [update, address, value]];
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
      const known = Math.max(at.update, this.kept.at(-1).update);
      if ((position.update - known) * this.data.size > MOST_AT_ONCE) {
        throw new Error(`epoch ${this.schedule.epoch(position.update)} is too far away to be reached at once: train(epochs) goes on for as long as you like, and the page answers meanwhile`);
      }
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
    requireCount("epoch", epoch);
    requireCount("sample", sample);
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
    requireCount("epochs", epochs);
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
    if (!numbers.every(Number.isFinite)) throw new Error(`'${address}' takes numbers, neither NaN nor Infinity; not ${inWords(numbers.find((each) => !Number.isFinite(each)))}`);
    const wanted = column ? [data.rows, cols] : parameter ? data.parameters[key] : deep ? [rows, cols] : [cols];
    const product = (sizes) => sizes.reduce((all, each) => all * each, 1), size = product(wanted);
    if (numbers.length !== product(shape)) throw new Error(`'${address}' takes rows of one length`);
    const bare = (sizes) => (parameter ? sizes : sizes.slice(sizes.findIndex((each) => each !== 1))); // a constant's row may be bare
    const fits = String(bare(shape)) === String(bare(wanted));
    if (numbers.length !== size || !(fits || size === 1)) throw new Error(`'${address}' is ${wanted.join("×") || 1}; ${shape.join("×") || "a number"} cannot enter`);
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
    if (!found) throw new Error(`'${address}' cannot be changed in a page${nearest(address, Object.keys(known))}; there is ${Object.keys(known).filter((each) => known[each].shown).join(", ") || "no setting"}`);
    if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`'${address}' is a number, not ${value}`);
    if (found.least !== null && value < found.least) throw new Error(`'${address}' is at least ${found.least}, not ${value}`);
    if (found.most !== null && value > found.most) throw new Error(`'${address}' is at most ${found.most}, not ${value}`);
    this.restartUpdate();
    for (const form of this.forms) if (Object.hasOwn(form.settings, address)) form.settings[address].value = value;
    this.change(address, value);
    this.branch(address, value);
  }
}
