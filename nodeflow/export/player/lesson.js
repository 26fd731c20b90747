// A lesson in a page: the same tasks, noticed in the same way, as `nodeflow.lessons.Attempt` does.

/**
 * Somebody's way through the lesson of `index`. `state` is how far somebody has come in another form
 * of the graph; `lesson.open(form, state)` opens such a form. `shown` is called when something is to be shown.
 */
class Lesson {
  constructor(index, run, shown) {
    const { lesson } = index;
    Object.assign(this, { index, run, shown, lesson, said: "", right: false, watch: null, before: run.number });
    this.state = lesson.state ?? { done: [], skipped: [], unlocked: [], moment: 0, wired: [] };
    this.locked = new Set(lesson.locked);
    this.unlocked = new Set(this.state.unlocked);
  }

  /** The number of the present task: as many as there are at the end. */
  get place() { return this.state.done.length + this.state.skipped.length; }

  get task() { return this.lesson.tasks[this.place] ?? null; }

  /** What a task's condition or answer is, read in this form of the graph; undefined where it has none, or cannot be read. */
  read(task) {
    if (!["until", "ask"].includes(task?.kind) || !task.here || task.fault) return undefined;
    try {
      return (task.read ??= readFrom(this.index, this.run, task.goal, task.kind === "ask" ? { truth: false, now: true } : {}));
    } catch (error) {
      task.fault = error.message;
      return undefined;
    }
  }

  // -- noticing

  /** Begin to watch the condition of the present task. */
  begin() {
    const read = this.task?.kind === "until" ? this.read(this.task) : undefined;
    this.watch = read ? new Watch(this.run, read) : null;
  }

  isDone(task, became) {
    const { run, state, place } = this;
    if (task.kind === "until") return became || (this.read(task) !== undefined && holds(run, this.read(task), seenAt(run)));
    if (task.kind === "at") return task.moment !== undefined && run.number === run.schedule.number(run.schedule.find(...task.moment));
    return task.kind === "wire" && state.wired.includes(place);
  }

  /** Note the tasks that are done by now, and go on to the next one. */
  notice(became = false) {
    const { place } = this;
    for (let now = this.task; now && now.kind !== "ask" && this.isDone(now, became); now = this.task) {
      this.finish();
      became = false;
    }
    if (this.place !== place) this.shown();
  }

  /** Notice what is done at the moment in view. */
  look() {
    const cameTrue = this.watch?.held === true && this.run.number > this.before; // where a beat ended
    this.before = this.run.number;
    this.notice(cameTrue);
  }

  /** The last node that was evaluated and its place, as a moment. */
  momentNow() {
    const { schedule, number } = this.run;
    if (!number) return "0:0";
    const { update, pass, place } = schedule.position(number - 1);
    return `${schedule.epoch(update)}:${schedule.row(update, pass)}:${schedule.order[place]}`;
  }

  finish(typed = null, value = null) {
    const { run, index, state, task } = this, done = { task: this.place }, settings = changesOf(run, index);
    if (typed !== null) Object.assign(done, { typed, value });
    done.moment = this.momentNow();
    if (Object.keys(settings).length) done.settings = settings;
    done.changes = wayOf(run, index);
    if (state.anew) done.anew = true;
    state.anew = false;
    state.done.push(done);
    if (["at", "until"].includes(task.kind)) state.moment = run.number;
    this.said = "";
    this.begin();
  }

  /** The run has begun anew: what is asked is asked of its start. */
  restarted() {
    Object.assign(this.state, { moment: 0, anew: this.state.done.length > 0 });
    this.begin();
  }

  // -- what a person does

  /** Show how far somebody has come, and what came of the last thing that was done. */
  say(words, right = false) {
    Object.assign(this, { said: words, right });
    this.shown();
  }

  answer(typed) {
    this.requireHere();
    const { task, run, state, lesson: { words } } = this, read = this.read(task);
    if (task?.kind !== "ask") throw new Error("nothing is asked at the moment");
    if (!read) throw new Error(task.fault);
    const value = expectedAt(run, state.moment, read), right = rightly(task, typed, value, words);
    if (!right) this.say(mistyped(typed, value, words) || "Not yet: try again.");
    else {
      this.finish(typed.trim(), value);
      this.notice();
      this.say("Right.", true);
    }
    return right;
  }

  skip() {
    if (!this.task) return;
    this.state.skipped.push(this.place);
    this.begin();
    this.notice();
    this.say("");
  }

  async wire(text) {
    this.requireHere();
    const { task, lesson, state } = this;
    if (task?.kind !== "wire") throw new Error("no wire is asked for at the moment");
    const form = Object.hasOwn(task.forms ?? {}, text) ? task.forms[text] : null;
    if (form === null) {
      return this.say(task.forms ? `Not ${text}: think again. (A page has the wires that its tasks ask for; nodeflow's editor draws any.)` : "This page has no wires to draw: do this task in nodeflow's editor, or skip it.");
    }
    if (!lesson.open) throw new Error("wires are drawn in the page of this lesson, or in nodeflow's editor: skip this task here");
    await lesson.open(form, { ...state, wired: [...state.wired, this.place], moment: 0, anew: state.done.length > 0 });
  }

  /** Train, until the condition of the present task becomes true; false where there is none. */
  async train(epochs, progress) {
    if (!this.watch) return false;
    if (await goOnUntil(this.run, this.watch, epochs, progress)) this.notice(true);
    return true;
  }

  /** The graph as it was handed in: with its own starts, and what was done. */
  answers() {
    this.requireHere();
    return { ...graphOf(this.run, this.index, { trained: false }), answers: { tasks: this.state.done, unlocked: [...this.unlocked].sort() } };
  }

  // -- locks

  unlock(key) {
    this.unlocked.add(key);
    this.state.unlocked = [...this.unlocked].sort();
    this.say(`${key} is unlocked; the answer notes it.`, true);
  }

  isLocked(key) {
    const { lesson, locked, unlocked } = this;
    return Boolean(lesson.elsewhere) || ((locked.has(key) || (lesson.everything && key === "training")) && !unlocked.has(key));
  }

  /** Refuse what is to be done in the form of the graph that the tasks are about. */
  requireHere() {
    if (this.lesson.elsewhere) throw new Error(this.lesson.elsewhere);
  }

  /** Refuse a change of what is locked. */
  requireFree(key) {
    this.requireHere();
    if (this.isLocked(key)) throw new Error(`'${key}' is locked in this lesson; unlocking it is noted in the answer`);
  }
}

/** Lead through the lesson of `index`; returns it. */
function leading(root, index, run, source, view, { attempt, train }) {
  let show = () => {};
  const lead = new Lesson(index, run, () => show());
  show = showingLesson(root, index, run, lead, { attempt, train });
  source.watching.push(() => lead.watch);
  view.watching.push(() => lead.look());
  lead.begin();
  lead.notice();
  show();
  return lead;
}

/** What a lesson offers to scripts. */
function lessonApi(lead, refresh) {
  const { lesson, run } = lead, { tasks } = lesson;
  const then = (act) => (...given) => { const made = act(...given); refresh(); return made; };
  return {
    task: () => ({ index: lead.place, of: tasks.length, ...(lead.task && { text: lead.task.text, kind: lead.task.kind, question: lead.task.question }) }),
    answer: then((typed) => lead.answer(String(typed))), skip: then(() => lead.skip()), unlock: then((key) => lead.unlock(key)),
    wire: (text) => lead.wire(text), answers: () => lead.answers(),
    /** Which of the tasks' conditions hold at this moment. */
    holding: () => tasks.map((task) => task.kind === "until" && lead.read(task) !== undefined && holds(run, lead.read(task), seenAt(run))),
  };
}
