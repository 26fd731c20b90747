// A lesson in a page: the same tasks, noticed in the same way, as `nodeflow.lessons.Attempt` does.

const SEARCH_MS = 30; // milliseconds between two pictures of a search

/** Whether what was typed is the value of a question: yes or no in one of its `words`, or a number near enough. */
function rightly(task, typed, value, words) {
  if (typeof value === "boolean") return words[value ? "yes" : "no"].includes(typed.trim().toLowerCase());
  const found = answered(typed);
  if (!found) return false;
  if (task.tolerance !== null) return Math.abs(found.value - value) <= task.tolerance * (1 + 1e-9) + 1e-15;
  return meets(found, value);
}

/**
 * Lead through the lesson of `index`. `state` is how far somebody has come in another form of the
 * graph; `open(form, state)` opens such a form. Returns what the rest of the page asks of it.
 */
function leading(root, index, run, source, view, { attempt, refresh, train: trainOn }) {
  const { lesson } = index;
  const state = lesson.state ?? { done: [], skipped: [], unlocked: [], moment: 0, wired: [] };
  const locked = new Set(lesson.locked), unlocked = new Set(state.unlocked);
  let watched = null;

  const place = () => state.done.length + state.skipped.length;
  const task = () => lesson.tasks[place()] ?? null;
  const lead = { lesson, state, locked, unlocked, task, place, answer, skip, wire, answers, say, said: "", right: false };
  const show = showingLesson(root, index, run, lead, { attempt, train: trainOn });

  // -- what is known

  /** The values of this moment, as a condition asks for them; `begin` is where its pass began. */
  function seenAt(begin = run.at) {
    const { update, pass } = begin, { schedule } = run;
    return {
      port: (address) => (run.hasValue(address) && Object.hasOwn(run.data.slots, address) ? run.value(address) : null),
      all: () => Object.keys(run.data.slots).filter((address) => run.hasValue(address)).map((address) => run.value(address).flat(Infinity)),
      word: (name) => word(name, { epoch: schedule.epoch(update), update, sample: schedule.row(update, pass) }),
    };
  }

  function word(name, { epoch, update, sample }) {
    const line = run.log[run.epoch - 1] ?? [NaN, NaN, NaN, NaN], known = (number) => (Number.isNaN(number) ? null : number);
    const [train_cost, train_accuracy, test_cost, test_accuracy] = line.map(known);
    if (name === "cost") return run.knownCost();
    return { epoch, update, sample, train_cost, train_accuracy, test_cost, test_accuracy, accuracy: test_accuracy ?? train_accuracy }[name];
  }

  /** As `seenAt`, but within a pass nothing is known of what it has not evaluated yet. */
  function standing() {
    const seen = seenAt(), { places } = run.schedule, here = run.at.place;
    const ahead = (address) => here > 0 && places.get(nodeOf(address)) >= here;
    return {
      ...seen,
      port: (address) => (ahead(address) ? null : seen.port(address)),
      word: (name) => (name === "cost" && run.data.cost && ahead(run.data.cost) ? null : seen.word(name)),
    };
  }

  /** What a question asks for at the moment at which it is asked, or as soon after as it is known. */
  function expected(asked) {
    const here = run.number, { schedule } = run;
    try {
      run.seek(schedule.position(state.moment));
      let found = judge(run, asked.tree, standing());
      if (found === null) {
        const end = asked.place === null ? schedule.after("epoch", run.number) : run.number - run.at.place + asked.place + 1;
        run.seek(schedule.position(end));
        found = judge(run, asked.tree, standing());
      }
      if (found === null) throw new Error("it has no value in this run");
      if (found.flat.length !== 1) throw new Error(`it is ${found.flat.length} numbers where an answer is one: pick one, as in x[0, 0]`);
      return found.flat[0];
    } finally {
      run.seek(schedule.position(here));
    }
  }

  // -- noticing

  /** Begin to watch the condition of the present task. */
  function watch() {
    const now = task();
    watched = now?.kind === "until" && now.tree ? { task: now, held: holds(run, now.tree, seenAt()), before: kept(now, seenAt()) } : null;
  }

  /** What a condition that looks back wants of a moment. */
  function kept(wanted, seen) {
    if (!wanted.looksBack) return null;
    const ports = new Map(wanted.ports.map((address) => [address, seen.port(address)]));
    const words = new Map(wanted.words.map((name) => [name, seen.word(name)]));
    return { port: (address) => ports.get(address) ?? null, word: (name) => words.get(name) ?? null, all: () => [...ports.values()] };
  }

  /**
   * Go on pass by pass until the condition becomes true; whether it did before `end`, null where the
   * time was up. A pass is judged whole, in a loop over samples when all that is read is known.
   */
  function search(end, begun = Infinity) {
    const { schedule } = run, wanted = watched.task;
    while (run.number < end) {
      const begin = { ...run.at }, start = run.number - begin.place, whole = start + schedule.endOfPass(begin);
      const known = start + wanted.place + 1, atOnce = wanted.epochal || schedule.passes(begin.update) === 1;
      const judged = atOnce ? whole : known, next = judged > run.number && judged <= whole ? judged : whole;
      run.seek(schedule.position(Math.min(next, end)));
      const ended = run.at.place === 0 && run.at.pass === 0 && schedule.endsEpoch(run.at.update);
      if (run.number === judged && (ended || !wanted.epochal) && becameTrue(seenAt(begin))) {
        if (!wanted.epochal && known < run.number) run.seek(schedule.position(known));
        return true;
      }
      if (performance.now() > begun + SEARCH_MS) return null;
    }
    return false;
  }

  function becameTrue(now) {
    const { task: wanted, held, before } = watched;
    watched.held = holds(run, wanted.tree, now, before);
    watched.before = kept(wanted, now);
    return watched.held && !held;
  }

  function isDone(now, became) {
    if (now.kind === "until") return became || (now.tree !== undefined && holds(run, now.tree, seenAt()));
    if (now.kind === "at") {
      const { schedule } = run;
      return now.moment !== undefined && run.number === schedule.number(schedule.find(...now.moment));
    }
    return now.kind === "wire" && state.wired.includes(place());
  }

  /** Note the tasks that are done by now, and go on to the next one. */
  function notice(became = false) {
    let now = task();
    const before = place();
    while (now && now.kind !== "ask" && isDone(now, became)) {
      finish();
      became = false;
      now = task();
    }
    if (place() !== before) show();
    return place() !== before;
  }

  /** The last node that was evaluated and its place, as a moment. */
  function momentNow() {
    const { schedule, number } = run;
    if (!number) return "0:0";
    const { update, pass, place: at } = schedule.position(number - 1);
    return `${schedule.epoch(update)}:${schedule.row(update, pass)}:${schedule.order[at]}`;
  }

  function finish(typed = null, value = null) {
    const done = { task: place() }, settings = changesOf(run, index), now = task();
    if (typed !== null) Object.assign(done, { typed, value });
    done.moment = momentNow();
    if (Object.keys(settings).length) done.settings = settings;
    done.changes = wayOf(run, index);
    if (state.anew) done.anew = true;
    state.anew = false;
    state.done.push(done);
    if (["at", "until"].includes(now.kind)) state.moment = run.number;
    lead.said = "";
    watch();
  }

  // -- what a person does

  /** Show how far somebody has come, and what came of the last thing that was done. */
  function say(words, right = false) {
    Object.assign(lead, { said: words, right });
    show();
  }

  function answer(typed) {
    requireHere();
    const now = task();
    if (!now || now.kind !== "ask") throw new Error("nothing is asked at the moment");
    if (!now.tree) throw new Error(now.fault);
    const value = expected(now);
    const right = rightly(now, typed, value, lesson.words);
    let said = "Not yet: try again.";
    if (right) {
      finish(typed.trim(), value);
      said = "Right.";
      notice();
    } else if (typeof value === "number" && !answered(typed)) said = `'${typed}' is no number: type one such as 0.25, −3 or 2/3`;
    else if (typeof value === "boolean" && ![...lesson.words.yes, ...lesson.words.no].includes(typed.trim().toLowerCase())) said = "Type yes or no.";
    say(said, right);
    return right;
  }

  function skip() {
    if (!task()) return;
    state.skipped.push(place());
    watch();
    notice();
    say("");
    refresh();
  }

  function unlock(key) {
    unlocked.add(key);
    state.unlocked = [...unlocked].sort();
    say(`${key} is unlocked; the answer notes it.`, true);
    refresh();
  }

  const isLocked = (key) => Boolean(lesson.elsewhere) || ((locked.has(key) || (lesson.everything && key === "training")) && !unlocked.has(key));

  /** Refuse what is to be done in the form of the graph that the tasks are about. */
  function requireHere() {
    if (lesson.elsewhere) throw new Error(lesson.elsewhere);
  }

  /** Refuse a change of what is locked. */
  function requireFree(key) {
    requireHere();
    if (isLocked(key)) throw new Error(`'${key}' is locked in this lesson; unlocking it is noted in the answer`);
  }

  async function wire(text) {
    requireHere();
    const now = task();
    if (!now || now.kind !== "wire") throw new Error("no wire is asked for at the moment");
    const form = Object.hasOwn(now.forms ?? {}, text) ? now.forms[text] : null;
    if (form === null) {
      return say(now.forms ? `Not ${text}: think again. (A page has the wires that its tasks ask for; nodeflow's editor draws any.)` : "This page has no wires to draw: do this task in nodeflow's editor, or skip it.");
    }
    if (!lesson.open) throw new Error("wires are drawn in the page of this lesson, or in nodeflow's editor: skip this task here");
    await lesson.open(form, { ...state, wired: [...state.wired, place()], moment: 0, anew: state.done.length > 0 });
  }

  /** The graph as it was handed in: with its own starts, and what was done. */
  function answers() {
    requireHere();
    return { ...graphOf(run, index, { trained: false }), answers: { tasks: state.done, unlocked: [...unlocked].sort() } };
  }

  // -- going on, and stopping where a condition becomes true

  const { boundary } = source;
  source.boundary = (number, level, way) => {
    const end = boundary(number, level, way);
    if (way < 0 || !watched || end <= number + 1 || number !== run.number) return end;
    return search(end) ? run.number : end;
  };

  /** Train, until the condition of the present task becomes true; false where there is none. */
  async function train(epochs, progress) {
    if (!watched) return false;
    const end = run.schedule.number(run.schedule.startOfEpoch(run.epoch + epochs)), mine = (run.training = {});
    watch();
    try {
      while (run.training === mine) {
        const found = search(end, performance.now());
        if (found) notice(true);
        if (found !== null) break;
        progress();
        await new Promise(soon);
      }
    } finally {
      if (run.training === mine) run.training = null;
    }
    return true;
  }

  let before = run.number;
  /** Notice what is done at the moment in view. */
  function look() {
    const cameTrue = watched?.held === true && run.number > before; // where a beat ended
    before = run.number;
    notice(cameTrue);
  }

  view.watching.push(look);

  watch();
  notice();
  show();
  return {
    requireFree, isLocked, unlock, train, look, restarted: () => { Object.assign(state, { moment: 0, anew: state.done.length > 0 }); watch(); }, changed: watch, state,
    api: {
      task: () => ({ index: place(), of: lesson.tasks.length, ...(task() && { text: task().text, kind: task().kind, question: task().question }) }),
      answer: (typed) => { const ok = answer(String(typed)); refresh(); return ok; },
      wire, skip, unlock, answers,
      /** Which of the tasks' conditions hold at this moment. */
      holding: () => lesson.tasks.map((each) => each.tree !== undefined && each.kind === "until" && holds(run, each.tree, seenAt())),
    },
  };
}
