// Where a run stands, and what it holds there.

/** The moment of a run, `{update, pass, place}`, and its values: what Python's Reader is. */
class Standing {
  get number() { return this.schedule.number(this.at); }
  get epoch() { return this.schedule.epoch(this.at.update); }
  get within() { return Boolean(this.at.place || this.at.pass); }

  /** The moment as a person writes it: `node` is the last one that was evaluated in this pass. */
  moment() {
    const { at, schedule } = this, { order } = schedule;
    return {
      epoch: this.epoch, sample: schedule.row(at.update, at.pass), node: at.place ? order[at.place - 1] : null,
      update: at.update, phase: schedule.phases[at.place], next: order[at.place], number: this.number,
    };
  }

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

  /** One line per epoch. */
  history() {
    const known = (number) => (Number.isNaN(number) ? null : number);
    return this.log.map(([cost, train_accuracy, test_cost, test_accuracy], at) => ({
      epoch: at + 1, cost: known(cost), train_accuracy: known(train_accuracy), test_cost: known(test_cost), test_accuracy: known(test_accuracy),
    }));
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
}
