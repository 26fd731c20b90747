// Conditions that are watched while a run goes on: where one becomes true, it stops.

const SEARCH_MS = 30; // milliseconds between two pictures of a search

/** A word's number as a condition asks for it; null where it is not known. */
function wordAt(run, name, { epoch, update, sample }) {
  const line = run.log[run.epoch - 1] ?? [NaN, NaN, NaN, NaN], known = (number) => (Number.isNaN(number) ? null : number);
  const [train_cost, train_accuracy, test_cost, test_accuracy] = line.map(known);
  if (name === "cost") return run.knownCost();
  return { epoch, update, sample, train_cost, train_accuracy, test_cost, test_accuracy, accuracy: test_accuracy ?? train_accuracy }[name];
}

/** The values of this moment, as a condition asks for them; `begin` is where its pass began. */
function seenAt(run, begin = run.at) {
  const { update, pass } = begin, { schedule } = run, known = (address) => Object.hasOwn(run.data.slots, address) && run.hasValue(address);
  return {
    port: (address) => (known(address) ? run.value(address) : null),
    all: () => Object.keys(run.data.slots).filter(known).map((address) => run.value(address).flat(Infinity)),
    word: (name) => wordAt(run, name, { epoch: schedule.epoch(update), update, sample: schedule.row(update, pass) }),
  };
}

/** What is kept of a moment for a condition that looks back. */
function keptOf(read, seen) {
  if (!read.looksBack) return null;
  const ports = new Map(read.ports.map((address) => [address, seen.port(address)]));
  const words = new Map(read.words.map((name) => [name, seen.word(name)]));
  return { port: (address) => ports.get(address) ?? null, word: (name) => words.get(name) ?? null, all: () => [...ports.values()] };
}

/** A condition that is watched: it is told when it was not true and is. */
class Watch {
  constructor(run, read) {
    Object.assign(this, { run, read });
    this.begin();
  }

  /** Begin at this moment: what is true already has to become so again. */
  begin() {
    const { run, read } = this, seen = seenAt(run);
    this.held = holds(run, read, seen);
    this.before = keptOf(read, seen);
  }

  becameTrue(now) {
    const { run, read, held, before } = this;
    this.held = holds(run, read, now, before);
    this.before = keptOf(read, now);
    return this.held && !held;
  }

  /** After how many steps it is judged in a pass from `start` to `whole`: as a whole, in a loop over samples when all that is read is known. */
  due({ update }, start, whole) { return this.read.epochal || this.run.schedule.passes(update) === 1 ? whole : this.known(start); }

  /** After how many steps a pass has all that it reads. */
  known(start) { return start + this.read.place + 1; }

  /** Whether it became true by the last step. */
  cameByStep() {
    const { run, read } = this, { schedule, number } = run;
    if (number === 0) return false;
    const begin = schedule.position(number - 1), start = number - 1 - begin.place;
    return (read.epochal ? atEndOfEpoch(run) : number === this.known(start)) && this.becameTrue(seenAt(run, begin));
  }
}

const atEndOfEpoch = (run) => !run.within && run.schedule.endsEpoch(run.at.update);

/**
 * Go on pass by pass until one of the watched becomes true, and return it; null where there is none
 * before `end`, undefined where the time was up.
 */
function search(run, watches, end, time = Infinity) {
  const { schedule } = run;
  while (run.number < end) {
    const begin = { ...run.at }, start = run.number - begin.place, whole = start + schedule.endOfPass(begin);
    const due = watches.map((watch) => watch.due(begin, start, whole));
    run.seek(schedule.position(Math.min(end, whole, ...due.filter((number) => number > run.number))));
    const came = watches.find((watch, at) => due[at] === run.number && (atEndOfEpoch(run) || !watch.read.epochal) && watch.becameTrue(seenAt(run, begin)));
    if (came) {
      if (!came.read.epochal && came.known(start) < run.number) run.seek(schedule.position(came.known(start)));
      return came;
    }
    if (performance.now() > time) return undefined;
  }
  return null;
}

/** Go on until a watched condition becomes true, at most so many epochs; whether it did. The page answers meanwhile. */
async function goOnUntil(run, watch, epochs, progress) {
  requireCount("epochs", epochs);
  const end = run.schedule.number(run.schedule.startOfEpoch(run.epoch + epochs)), mine = (run.training = {});
  watch.begin();
  try {
    while (run.training === mine) {
      const came = search(run, [watch], end, performance.now() + SEARCH_MS);
      if (came !== undefined) return came !== null;
      progress();
      await new Promise(soon);
    }
    return false;
  } finally {
    if (run.training === mine) run.training = null;
  }
}
