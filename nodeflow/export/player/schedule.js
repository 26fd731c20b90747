// When which node is evaluated, on which rows.

const PHASES = ["forward", "backward", "update"];

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
