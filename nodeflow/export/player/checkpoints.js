// What is kept of a run, to go back to.

const MOST_KEPT = 64e6; // bytes of checkpoints

/** The states at the starts of some updates, in their order: `{update, state, stats, own}`, `own` where a person set numbers. */
class Checkpoints {
  constructor(start, most) {
    this.all = [start];
    this.most = most;
  }

  get last() { return this.all.at(-1); }

  copy() {
    const { all, most } = this;
    return Object.assign(new Checkpoints(all[0], most), { all: all.slice() });
  }

  placeOf(update) { return lastUpTo(this.all, update, (each) => each.update); }

  /** The last one that is not after an update. */
  upTo(update) { return this.all[this.placeOf(update)]; }

  /** Where the next numbers lie that a person set. */
  nextOwn(update) { return this.all.find((each) => each.own && each.update > update)?.update ?? Infinity; }

  /** Keep one; of an update what a person set stays, until a person sets it again. */
  keep(entry) {
    const at = this.placeOf(entry.update), there = this.all[at];
    if (there.update !== entry.update) this.all.splice(at + 1, 0, entry);
    else if (entry.own || !there.own) this.all[at] = entry;
    this.thin();
  }

  /** Let every other one go where they take too much memory. */
  thin() {
    if (this.all.length > this.most) this.all = this.all.filter((each, at) => at % 2 === 0 || each.own);
  }

  /** Forget what lies at an update and after it; the start is never forgotten. */
  forgetFrom(update) { this.all = this.all.filter((each) => each.update === 0 || each.update < update); }
}
