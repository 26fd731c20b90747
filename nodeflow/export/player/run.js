// A graph being stepped, trained and changed, as by Python's run: its order, starts and settings are
// data that Python wrote.

const MOST_AT_ONCE = 1e9; // cells of all updates that are gone through while the page does not answer: some seconds

/** A graph being stepped and trained: what Python's Run is. Moments are `{update, pass, place}`. */
class Run extends Standing {
  /** `parts` are the bytes of kernel and tables, by name; of the forms all but the first take any batch. */
  static async made(forms, parts) {
    const machines = await Promise.all(forms.map((data, at) => Machine.made(data, { ...parts, straight: at ? null : parts.straight })));
    return new Run(forms, machines, parts);
  }

  constructor(forms, machines, parts) {
    super();
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
    const starts = Object.keys(data.starts).map((key) => [key, started(key, howStarted(this, key), seed)]);
    const feed = feedOf(data, this.parts, this.given, seed);
    this.stop();
    this.constants = data.literals.map(([at, numbers]) => [at, numbers.map(Number)]);
    for (const [address, value] of this.written) putInto(this.constants, cellsOf(this, address, value));
    this.seed = seed;
    this.fill(feed);
    machine.clear(this.constants);
    for (const [key, numbers] of starts) machine.cells.set(numbers, data.slots[`${key}.value`][0]);
    machine.stats.fill(0);
    this.start = machine.state.slice();
    this.at = { update: 0, pass: 0, place: 0, shown: 0, once: false, seen: new Set(), tallies: [0, 0, 0, 0] };
    const most = Math.max(16, Math.floor(MOST_KEPT / (machine.bytes * data.state + 200)));
    this.kept = new Checkpoints({ update: 0, state: this.start, stats: machine.stats.slice(), own: false }, most);
    this.log = []; // lines of the history, an epoch each: cost, hits, test cost, test hits
    this.changes = []; // what was changed on the way: constants from an update on
    this.events = [];
    this.base = [...this.written]; // what held when the run began
    this.begun = machine.stats.slice();
    this.own = false; // whether weights were set by hand
    this.typed.clear();
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
      form, seed, own, start, number, batch: this.schedule.batch, constants: this.constants.slice(), kept: this.kept.copy(),
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
    returnTo(this, 0);
    this.seek(this.schedule.position(number));
  }

  /** Keep a checkpoint at an update; `own` where a person set numbers. */
  keep(update, own = false) {
    const { machine } = this;
    this.kept.keep({ update, state: machine.state.slice(), stats: machine.stats.slice(), own });
  }

  // -- going

  seek(position) {
    const { at } = this;
    const ahead = position.update === at.update && (position.pass > at.pass || (position.pass === at.pass && position.place >= at.place));
    if (!ahead) {
      const known = Math.max(at.update, this.kept.last.update);
      if ((position.update - known) * this.data.size > MOST_AT_ONCE) {
        throw new Error(`epoch ${this.schedule.epoch(position.update)} is too far away to be reached at once: train(epochs) goes on for as long as you like, and the page answers meanwhile`);
      }
      approach(this, position.update);
      trainTo(this, position.update);
    }
    goOn(this, position.pass, position.place);
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

  train(epochs, progress) { return trainEpochs(this, epochs, progress); }

  /** End a training at the end of its chunk. */
  stop() { this.training = null; }

  set(address, value) { setNumbers(this, address, value); }

  setting(address, value) { setSetting(this, address, value); }
}
