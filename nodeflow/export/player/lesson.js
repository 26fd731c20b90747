// A lesson in a page: the same tasks, noticed in the same way, as `nodeflow.lessons.Attempt` does.

const YES = ["hit", "yes", "right", "1"], NO = ["miss", "no", "wrong", "0"]; // as in playback/answers.py
const MOST_AT_ONCE = 30; // milliseconds between two pictures of a search

/** Whether what was typed is the value of a question: yes or no, or a number near enough. */
function rightly(task, typed, value) {
  const word = typed.replace(/[−–]/g, "-").trim().toLowerCase();
  if (typeof value === "boolean") return (value ? YES : NO).includes(word);
  const found = answered(typed);
  if (!found) return false;
  if (task.tolerance !== null) return Math.abs(found.value - value) <= task.tolerance * (1 + 1e-9) + 1e-15;
  return meets(found, value);
}

/**
 * Lead through the lesson of `index`. `state` is how far somebody has come in another form of the
 * graph; `open(form, state)` opens such a form. Returns what the rest of the page asks of it.
 */
function leading(root, index, run, source, view, { attempt, refresh, graph, changes, way, save, train: goOn }) {
  const { lesson } = index;
  const find = (selector) => root.querySelector(selector);
  const state = lesson.state ?? { done: [], skipped: [], unlocked: [], moment: 0, wired: [] };
  const locked = new Set(lesson.locked), unlocked = new Set(state.unlocked);
  let watched = null, said = "", right = false;

  const place = () => state.done.length + state.skipped.length;
  const task = () => lesson.tasks[place()] ?? null;

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
      if (performance.now() > begun + MOST_AT_ONCE) return null;
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
    const done = { task: place() }, settings = changes(), now = task();
    if (typed !== null) Object.assign(done, { typed, value });
    done.moment = momentNow();
    if (Object.keys(settings).length) done.settings = settings;
    done.changes = way();
    if (state.anew) done.anew = true;
    state.anew = false;
    state.done.push(done);
    if (["at", "until"].includes(now.kind)) state.moment = run.number;
    said = "";
    watch();
  }

  // -- what a person does

  function answer(typed) {
    const now = task();
    if (!now || now.kind !== "ask") throw new Error("nothing is asked at the moment");
    if (!now.tree) throw new Error(now.fault);
    const value = expected(now);
    right = rightly(now, typed, value);
    if (right) {
      finish(typed.trim(), value);
      said = "Right.";
      notice();
    } else if (typeof value === "number" && !answered(typed)) said = `'${typed}' is no number: type one such as 0.25, −3 or 2/3`;
    else if (typeof value === "boolean" && ![...YES, ...NO].includes(typed.trim().toLowerCase())) said = "Type yes or no.";
    else said = "Not yet: try again.";
    show();
    return right;
  }

  function skip() {
    if (!task()) return;
    state.skipped.push(place());
    said = "";
    watch();
    notice();
    show();
    refresh();
  }

  function unlock(key) {
    right = true;
    unlocked.add(key);
    state.unlocked = [...unlocked].sort();
    said = `${key} is unlocked; the answer notes it.`;
    show();
    refresh();
  }

  const isLocked = (key) => (locked.has(key) || (lesson.everything && key === "training")) && !unlocked.has(key);

  /** Refuse a change of what is locked. */
  function requireFree(key) {
    if (isLocked(key)) throw new Error(`'${key}' is locked in this lesson; unlocking it is noted in the answer`);
  }

  async function wire(text) {
    const now = task();
    if (!now || now.kind !== "wire") throw new Error("no wire is asked for at the moment");
    const form = Object.hasOwn(now.forms ?? {}, text) ? now.forms[text] : null;
    if (form === null) {
      right = false;
      said = now.forms ? `Not ${text}: think again. (A page has the wires that its tasks ask for; nodeflow's editor draws any.)` : "This page has no wires to draw: do this task in nodeflow's editor, or skip it.";
      return show();
    }
    if (!lesson.open) throw new Error("wires are drawn in the page of this lesson, or in nodeflow's editor: skip this task here");
    await lesson.open(form, { ...state, wired: [...state.wired, place()], moment: 0, anew: state.done.length > 0 });
  }

  /** The graph as it was handed in: with its own starts, and what was done. */
  function answers() {
    return { ...graph({ trained: false }), answers: { tasks: state.done, unlocked: [...unlocked].sort() } };
  }

  // -- what is shown

  const focusable = () => find("#lesson :is(input, select)");

  function show() {
    const now = task(), total = lesson.tasks.length, count = place();
    const list = lesson.tasks.slice(0, count).map((each, at) => {
      const skipped = state.skipped.includes(at), done = state.done.find((one) => one.task === at);
      const typed = done?.typed === undefined ? "" : ` — ${done.typed}`;
      return element("li", { class: skipped ? "skipped" : "done" }, element("b", { "aria-label": skipped ? "left out" : "done" }, skipped ? "–" : "✓"), ` ${each.text}${typed}`);
    });
    const hadFocus = find("#lesson").contains(document.activeElement);
    find("#lesson-count").textContent = now ? `task ${count + 1} of ${total}` : `${state.done.length} of ${total} done`;
    find("#lesson-bar").value = state.done.length / total;
    find("#tasks").replaceChildren(...list);
    find("#task-text").textContent = now ? now.text : state.skipped.length ? "That was the last task; some were left out." : "All is done. Save the answer, and hand it in.";
    find("#task-hint").textContent = now ? hintOf(now) : "";
    find("#task-do").replaceChildren(...(now ? controls(now) : []));
    find("#task-skip").hidden = !now;
    find("#lesson-said").textContent = said;
    find("#lesson-said").className = right ? "right" : "wrong";
    find("#lesson").classList.toggle("over", !now);
    find("#lesson-locks").hidden = !locked.size && !lesson.everything;
    find("#lesson-locks").textContent = unlocked.size ? `Unlocked: ${[...unlocked].join(", ")}` : lesson.everything ? "All of the graph is locked."
      : locked.size > 6 ? `${locked.size} nodes are locked.` : `Locked: ${[...locked].join(", ")}`;
    find("#tasks").scrollTop = find("#tasks").scrollHeight;
    if (hadFocus) (focusable() ?? find("#lesson-save")).focus();
  }

  function hintOf(now) {
    if (now.fault) return now.fault;
    if (now.kind === "at") return "Step (→), play, or click a step in the list.";
    if (now.kind === "until") return `Done when ${now.goal}. Train, play or step: it stops there.`;
    if (now.kind === "wire") return now.forms ? "Choose where the wire comes from, and where it goes." : "A page cannot draw this wire: do it in nodeflow's editor.";
    return now.question;
  }

  function controls(now) {
    if (now.kind === "ask" && now.truth) {
      return ["yes", "no"].map((word) => {
        const button = element("button", { type: "button", "data-answer": word }, word[0].toUpperCase() + word.slice(1));
        button.addEventListener("click", () => attempt(() => { answer(word); }));
        return button;
      });
    }
    if (now.kind === "ask") {
      const field = element("input", { id: "lesson-answer", autocomplete: "off", inputmode: "text", "aria-label": now.question, placeholder: "a number" });
      return [field, element("button", {}, "Answer")];
    }
    if (now.kind === "until") {
      const button = element("button", { type: "button", id: "lesson-train" }, "Train until then");
      button.addEventListener("click", () => (run.training ? run.stop() : attempt(() => trainUntil(now))));
      return [button];
    }
    if (now.kind === "wire" && now.forms) {
      const choice = (id, label, options) => {
        const made = element("select", { id, "aria-label": label });
        made.append(element("option", { value: "" }, label), ...options.map((each) => element("option", {}, each)));
        return made;
      };
      return [choice("wire-from", "from …", now.from), choice("wire-to", "to …", now.to), element("button", {}, "Draw the wire")];
    }
    return [];
  }

  /** Train for as long as the graph does; say where its condition has not become true by then. */
  async function trainUntil(wanted) {
    await goOn(Math.max(index.epochs, 1));
    if (task() !== wanted) return;
    right = false;
    said = `Not true yet at epoch ${run.epoch}: train on, or change something first.`;
    show();
  }

  find("#task").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => {
      const now = task();
      if (now?.kind === "ask") return void answer(find("#lesson-answer").value);
      if (now?.kind !== "wire") return undefined;
      const from = find("#wire-from").value, to = find("#wire-to").value;
      if (!from || !to) throw new Error("choose where the wire comes from, and where it goes");
      return wire(`${from} -> ${to}`);
    });
  });
  find("#task-skip").addEventListener("click", () => attempt(skip));
  find("#lesson-save").addEventListener("click", () => attempt(() => save(answers(), `${index.name}-answer`)));
  find("#lesson-fold").addEventListener("click", () => {
    const open = find("#lesson").classList.toggle("folded") === false;
    find("#lesson-fold").setAttribute("aria-expanded", String(open));
    find("#lesson-fold").textContent = open ? "Hide" : "Show";
  });

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

  find("#lesson").hidden = false;
  root.classList.add("taught");
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
      holding: () => lesson.tasks.map((each) => each.kind === "until" && holds(run, each.tree, seenAt())),
    },
  };
}
