// What a lesson shows: its tasks, what there is to do for the present one, and what came of it.

/** Show how far somebody has come; `lead` is of lesson.js. Returns what shows it anew. */
function showingLesson(root, index, run, lead, { attempt, train }) {
  const find = (selector) => root.querySelector(selector), { lesson, state, locked, unlocked } = lead;

  function show() {
    const now = lead.task, total = lesson.tasks.length, count = lead.place;
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
    find("#task-skip").hidden = !now || Boolean(lesson.elsewhere);
    find("#lesson-save").hidden = Boolean(lesson.elsewhere);
    find("#lesson-said").textContent = lead.said;
    find("#lesson-said").className = lead.right ? "right" : "wrong";
    find("#lesson").classList.toggle("over", !now);
    find("#lesson-locks").hidden = !locked.size && !lesson.everything;
    find("#lesson-locks").textContent = unlocked.size ? `Unlocked: ${[...unlocked].join(", ")}` : lesson.everything ? "All of the graph is locked."
      : locked.size > 6 ? `${locked.size} nodes are locked.` : `Locked: ${[...locked].join(", ")}`;
    find("#tasks").scrollTop = find("#tasks").scrollHeight;
    if (hadFocus) (find("#task-do :is(input, select, button)") ?? find(now ? "#task-text" : "#lesson-save")).focus();
  }

  function hintOf(now) {
    lead.read(now); // what is wrong with it is known then
    if (lesson.elsewhere ?? now.fault) return lesson.elsewhere ?? now.fault;
    if (now.kind === "at") return "Step (→), play, or click a step in the list.";
    if (now.kind === "until") return `Done when ${now.goal}. Train, play or step: it stops there.`;
    if (now.kind === "wire") return now.forms ? "Choose where the wire comes from, and where it goes." : "A page cannot draw this wire: do it in nodeflow's editor.";
    return now.question;
  }

  function controls(now) {
    if (lesson.elsewhere) return [];
    if (now.kind === "ask" && lead.read(now)?.root.truth) {
      return ["yes", "no"].map((word) => {
        const button = element("button", { type: "button", "data-answer": word }, word[0].toUpperCase() + word.slice(1));
        button.addEventListener("click", () => attempt(() => { lead.answer(word); }));
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
    await train(Math.max(index.epochs, 1));
    if (lead.task === wanted) lead.say(`Not true yet at epoch ${run.epoch}: train on, or change something first.`);
  }

  find("#task").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => {
      const now = lead.task;
      if (now?.kind === "ask") return void lead.answer(find("#lesson-answer").value);
      if (now?.kind !== "wire") return undefined;
      const from = find("#wire-from").value, to = find("#wire-to").value;
      if (!from || !to) throw new Error("choose where the wire comes from, and where it goes");
      return lead.wire(`${from} -> ${to}`);
    });
  });
  find("#task-skip").addEventListener("click", () => attempt(() => lead.skip()));
  find("#lesson-save").addEventListener("click", () => attempt(() => save(lead.answers(), `${index.name}-answer`)));
  find("#lesson-fold").addEventListener("click", () => {
    const open = find("#lesson").classList.toggle("folded") === false;
    find("#lesson-fold").setAttribute("aria-expanded", String(open));
    find("#lesson-fold").textContent = open ? "Hide" : "Show";
  });

  find("#lesson").hidden = false;
  root.classList.add("taught");
  return show;
}
