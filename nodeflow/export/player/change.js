// What a person does to an engine's run: train, change, compare, take home, share.

const MOST_TYPED = 144; // numbers of an array that can be typed
const EVERY = 100; // milliseconds between two pictures of a training

/** Connect the controls of a page that computes; returns what it offers to scripts. */
function changing(root, index, run, source, view) {
  const find = (selector) => root.querySelector(selector);
  let asked = 0;

  /** Show what the run holds now; of many changes in a frame only the last is drawn. */
  function refresh() {
    if (asked) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      if (view.ended) return;
      view.present(source.now());
      view.drawCurve();
      showChange();
    });
  }

  /** Do what a person asked for; say what keeps it from being done. */
  function attempt(act) {
    complain(root, "");
    const failed = (error) => {
      complain(root, error.message);
      refresh();
    };
    try {
      const made = act();
      refresh();
      if (made instanceof Promise) made.then(refresh, failed);
    } catch (error) {
      failed(error);
    }
  }

  // -- training

  function showTraining(training) {
    const button = find("#train");
    button.textContent = training ? "Stop" : "Train";
    button.classList.toggle("playing", training);
  }

  let lead = null; // of a lesson, where there is one

  async function train(epochs) {
    view.pause();
    showTraining(true);
    let drawn = performance.now();
    const nowAndThen = () => {
      if (performance.now() - drawn < EVERY) return;
      drawn = performance.now();
      refresh();
    };
    try {
      if (!(lead && (await lead.train(epochs, nowAndThen)))) await run.train(epochs, nowAndThen);
    } finally {
      showTraining(false);
      refresh();
    }
  }

  find("#train").addEventListener("click", () => {
    if (run.training) return run.stop();
    attempt(() => train(numberIn("#epochs")));
  });

  /** The number that was typed into a field; nothing typed is not 0. */
  function numberOf(field) {
    const value = Number(field.value);
    if (field.value === "" || !Number.isFinite(value)) throw new Error(`"${field.value}" is no number`);
    return value;
  }

  const numberIn = (selector) => numberOf(find(selector));

  // -- changing

  function changed(why, act) {
    view.pause();
    const kept = source.futures.length;
    source.leave(why);
    try {
      return act();
    } catch (error) {
      source.futures.length = Math.min(kept, source.futures.length);
      throw error;
    }
  }

  /** The node to which an address belongs: "train.rate" may be a setting, or a node of its own. */
  const ownerOf = (address) => (Object.hasOwn(index.graph.nodes, address) ? address : nodeOf(address));

  function inLesson(key, act) {
    lead?.requireFree(key);
    const beginning = () => JSON.stringify([run.seed, run.schedule.batch, ...run.given]), { own } = run, before = beginning();
    act();
    if (before !== beginning() || (own && !run.own)) lead?.restarted();
    else lead?.changed();
  }

  const set = (address, value) => inLesson(nodeOf(address), () => changed(`before ${address} was changed`, () => run.set(address, value)));
  const setting = (address, value) => inLesson(ownerOf(address), () => changed(`before ${address} = ${value}`, () => run.setting(address, value)));
  const reset = (seed) => inLesson(seed === undefined || seed === run.seed ? null : "training", () => changed(`seed ${run.seed}`, () => run.reset(seed)));
  const batch = (size) => inLesson("training", () => changed(`batch ${run.schedule.batch}`, () => run.setBatch(size)));

  find("#again").addEventListener("click", () => attempt(() => reset(numberIn("#seed"))));
  find("#batch").addEventListener("change", () => attempt(() => batch(numberIn("#batch"))));
  find("#seed").addEventListener("change", () => attempt(() => reset(numberIn("#seed"))));

  let shownFor = null;

  const seen = Object.keys(index.nodes).filter((key) => !index.hidden?.includes(key));
  find("#which").append(...seen.map((key) => element("option", {}, key)));
  find("#which").addEventListener("change", (event) => { if (event.target.value !== view.pinned) view.pin(event.target.value); });

  /** The numbers of the node in view that can be typed, the settings, and the other futures. */
  function showChange() {
    if (find("#change").hidden) return;
    const key = view.pinned ?? view.now?.node ?? source.next(), address = `${key}.value`;
    const can = run.canSet(address), value = can ? run.given.get(address) ?? run.machine.read(address, run.schedule.samples(0)) : null;
    if (shownFor !== key || !find("#change").contains(document.activeElement)) {
      shownFor = find("#which").value = key;
      find("#numbers").replaceChildren(...(can ? typed(address, value) : [element("p", {}, `The numbers of ${key} are computed: choose a parameter or a constant to change them.`)]));
      showWhy(key);
      showSettings();
      find("#seed").value = run.seed;
      find("#batch").value = run.schedule.batch;
      find("#stop-here").checked = source.stopsAt.has(key);
      find("#stop-name").textContent = key;
    }
    showFutures();
  }

  function typed(address, value) {
    const rows = rowsOf(value), count = rows.flat().length;
    const heading = element("h3", {}, address), key = nodeOf(address), shut = lead?.isLocked(key) ?? false;
    if (count > MOST_TYPED) return [heading, element("p", {}, `${count} numbers are too many to type; nodeflow.set("${address}", …) takes them.`)];
    const grid = element("div", { class: "grid" });
    grid.style.setProperty("--columns", rows[0].length);
    rows.forEach((row, i) => row.forEach((number, j) => {
      const field = element("input", { type: "number", step: "any", value: number, "aria-label": `${address} ${i + 1}, ${j + 1}` });
      field.addEventListener("focus", () => { find("#why-place").value = Array.isArray(value[0]) ? `${i},${j}` : j; });
      field.disabled = shut;
      field.addEventListener("change", () => attempt(() => {
        const own = numberOf(field), next = rows.map((each, at) => (at === i ? each.with(j, own) : each));
        set(address, Array.isArray(value[0]) ? next : next[0]);
      }));
      grid.append(field);
    }));
    return [heading, ...lockedNote(key), ...startChoice(key, shut), grid];
  }

  /** What says that a node is locked in the lesson, and lifts the lock. */
  function lockedNote(key) {
    if (!lead?.isLocked(key) || index.lesson.elsewhere) return [];
    const button = element("button", { "data-unlock": key, title: "The answer notes it" }, "Unlock");
    button.addEventListener("click", () => attempt(() => { lead.unlock(key); shownFor = null; }));
    return [element("p", { class: "locked" }, `${key} is locked. `, button)];
  }

  /** How a parameter begins, where it can be chosen. */
  function startChoice(key, shut) {
    const address = `${key}.init`, choices = run.data.choices?.[address];
    if (!choices) return [];
    const chosen = run.written.get(address) ?? index.graph.nodes[key]?.settings?.init;
    const field = element("select", { "data-setting": address });
    field.append(...Object.keys(choices).map((each) => element("option", {}, each)));
    field.value = chosen;
    field.disabled = shut;
    field.addEventListener("change", () => attempt(() => { setting(address, field.value); shownFor = null; }));
    return [element("label", {}, element("span", {}, "starts as"), field)];
  }

  let asksAbout = null;

  /** Offer to ask why the numbers of a parameter changed. */
  function showWhy(key) {
    const address = `${key}.value`, known = Object.hasOwn(index.traces, address);
    find("#why-part").hidden = !known;
    if (!known || asksAbout === address) return;
    asksAbout = address;
    find("#because").textContent = "";
    find("#why-place").value = run.data.parameters[key].map(() => 0).join(",");
    find("#why-to").value = Math.max(1, run.epoch);
  }

  find("#why").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      view.pause();
      find("#because").textContent = "";
      const place = find("#why-place").value.split(",").map((each) => (each.trim() === "" ? NaN : Number(each)));
      find("#because").textContent = (await whyOf(run, index, asksAbout, place, [numberIn("#why-from"), numberIn("#why-to")])).text;
    });
  });

  const trains = (address) => index.nodes[nodeOf(address)] === undefined || index.nodes[nodeOf(address)].family === "trainer";

  function showSettings() {
    const shown = Object.entries(run.data.settings).filter(([, each]) => each.shown)
      .sort(([a], [b]) => Number(trains(b)) - Number(trains(a))); // what trains stands first
    find("#settings").replaceChildren(...shown.map(([address, { value, least, most }]) => {
      const field = element("input", { type: "number", step: "any", value, "data-setting": address });
      const line = element("label", {}, element("span", {}, address), field);
      field.disabled = lead?.isLocked(ownerOf(address)) ?? false;
      const change = () => attempt(() => setting(address, numberOf(field)));
      field.addEventListener("change", change);
      const [low, high] = least !== null && most !== null ? [least, most] : value > 0 ? [value / 20, value * 20] : [null, null];
      if (low !== null) {
        const curved = least === null || most === null; // a rate is moved by its powers
        const slider = element("input", { type: "range", min: curved ? Math.log(low) : low, max: curved ? Math.log(high) : high, step: "any", value: curved ? Math.log(value) : value, "aria-label": `${address}, slider` });
        const wanted = () => Number((curved ? Math.exp(slider.value) : Number(slider.value)).toPrecision(3));
        slider.addEventListener("input", () => { field.value = wanted(); });
        slider.addEventListener("change", () => { field.value = wanted(); change(); });
        slider.disabled = field.disabled;
        line.append(slider);
      }
      return line;
    }));
    const keys = new Set(shown.map(([address]) => ownerOf(address)));
    find("#settings").append(...[...keys, "training"].flatMap(lockedNote));
    for (const id of ["#seed", "#batch"]) find(id).disabled = lead?.isLocked("training") ?? false;
  }

  function showFutures() {
    find("#futures").replaceChildren(...source.futures.map((each, place) => {
      const cost = each.log.at(-1)?.[0], told = Number.isFinite(cost) ? `, cost ${show(cost)} after ${each.log.length} epochs` : "";
      const button = element("button", {}, "Go there");
      button.addEventListener("click", () => attempt(() => source.swap(place)));
      return element("li", {}, `${each.why}${told} `, button);
    }));
    find("#futures-part").hidden = !source.futures.length;
  }

  view.watching.push(showChange);

  // -- stops

  find("#stop-here").addEventListener("change", (event) => {
    const key = find("#stop-name").textContent;
    if (event.target.checked) source.stopsAt.add(key);
    else source.stopsAt.delete(key);
    showStops();
  });

  function showStops() {
    for (const group of root.querySelectorAll("#canvas [data-node]")) group.classList.toggle("stop", source.stopsAt.has(group.dataset.node));
  }

  find("#until").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const words = find("#condition").value, test = conditionOf(words, run);
      view.pause();
      source.condition = test;
      showTraining(true);
      try {
        const came = await source.until(test, Math.max(1, numberIn("#epochs")), refresh);
        find("#came").textContent = came ? `${words}: true here` : `${words} did not come to be`;
      } catch (error) {
        source.condition = null; // what cannot be read stops nothing
        throw error;
      } finally {
        run.stop();
        showTraining(false);
      }
    });
  });

  // -- tabs

  const tabs = [["#tab-steps", "#steps"], ["#tab-change", "#change"]];
  function choose(wanted) {
    for (const [tab, panel] of tabs) {
      find(tab).setAttribute("aria-selected", String(tab === wanted));
      find(tab).tabIndex = tab === wanted ? 0 : -1;
      find(panel).hidden = tab !== wanted;
    }
    showChange();
  }
  for (const [tab] of tabs) find(tab).addEventListener("click", () => choose(tab));
  find("#tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.stopPropagation();
    const other = tabs.find(([tab]) => find(tab).getAttribute("aria-selected") !== "true")[0];
    choose(other);
    find(other).focus();
  });
  view.keys.c = () => choose("#tab-change");

  // -- taken home, and shared

  const graph = (options) => graphOf(run, index, options);
  let stranger = null; // the graph of an address that is not this page's

  find("#take").addEventListener("click", () => attempt(() => (stranger ? save(stranger, stranger.name || "nodeflow") : save(graph(), index.name))));

  const link = () => linkOf({ of: index.digest, ...stateOf(run) }, graph());

  let sharedAt = null; // the moment whose address was told; further on it is another one

  find("#share").addEventListener("click", () => attempt(async () => {
    history.replaceState(null, "", await link());
    const copying = async () => navigator.clipboard.writeText(location.href); // pages of plain http have no clipboard
    const copied = await copying().then(() => true, () => false);
    complain(root, copied ? "The address of this page, as it stands, is in the clipboard." : "The address of this page now has all that was changed.", true);
    sharedAt = run.number;
  }));

  view.watching.push(() => {
    if (sharedAt === null || sharedAt === run.number) return;
    sharedAt = null;
    complain(root, "");
  });

  /** Be in a state that was told before; of a lesson, what was asked was of the run that was left. */
  function takeUp(state) {
    const past = stateOf(run);
    takeUpState(run, state);
    if (beganAgain(past, state)) lead?.restarted();
    else lead?.changed();
  }

  /** Take up what an address says; a broken one is told, and the page is as it was made. */
  async function follow(fragment) {
    if (fragment.length < 2) return;
    const state = await toldByLink(fragment);
    const [form] = index.apart?.find(([, digest]) => digest === state.of) ?? [];
    if (state.of !== index.digest && form !== undefined) return index.other.open(form, fragment);
    if (state.of !== index.digest) {
      stranger = state.graph ?? null;
      throw new Error(`the part of the address after # belongs to another graph${stranger ? `, "${stranger.name ?? ""}"` : ""}, so the page shows its own${stranger ? "; Save takes the other one home, and nodeflow opens it" : ""}`);
    }
    stranger = null;
    try {
      takeUp(state);
    } catch (error) {
      throw new Error(`the part of the address after # cannot be used, so the page shows its own graph: ${error.message}`);
    }
  }

  if (index.other) {
    find("#explode").hidden = false;
    find("#explode").textContent = index.other.label;
    find("#explode").addEventListener("click", () => attempt(() => index.other.open(index.other.form)));
  }

  predicting(root, index, run, view, attempt);
  if (index.lesson) lead = leading(root, index, run, source, view, { attempt, refresh, train });
  for (const each of root.querySelectorAll("[data-live]")) each.hidden = false;
  choose("#tab-steps");
  find("#epochs").value = Math.max(1, Math.min(100, index.epochs));
  find("#batch").max = run.schedule.rows;

  const refreshing = (act) => (...given) => {
    view.pause();
    const made = act(...given);
    if (!(made instanceof Promise)) lead?.look(); // a script may go on before the next picture is drawn
    refresh();
    return made;
  };
  return {
    api: {
      moment: () => run.moment(),
      step: refreshing((count = 1) => { run.step(count); return run.moment(); }),
      back: refreshing((count = 1) => { run.back(count); return run.moment(); }),
      goto: refreshing((epoch, sample, node) => { run.goto(epoch ?? undefined, sample ?? undefined, node ?? null); return run.moment(); }),
      train: (epochs = index.epochs) => train(epochs).then(() => run.moment()),
      value: (address) => run.value(requireAddress(address)),
      gradient: (address) => run.gradient(requireAddress(address)),
      /** Of when a node's value is, in words: "" if it is of the pass in view. */
      age: (key) => {
        if (!Object.hasOwn(index.nodes, requireAddress(key))) throw new Error(`there is no node '${key}'${nearest(key, Object.keys(index.nodes))}`);
        return run.age(key);
      },
      weights: () => run.weights(),
      set: refreshing((address, value) => { set(requireAddress(address), value); return run.moment(); }),
      setting: refreshing((address, value) => { setting(requireAddress(address), value); return run.moment(); }),
      reset: refreshing((seed) => { reset(seed); return run.moment(); }),
      batch: refreshing((size) => { batch(size); return run.moment(); }),
      cost: () => run.cost(),
      history: () => run.log.map(([cost, train_accuracy, test_cost, test_accuracy], at) => ({
        epoch: at + 1, cost: known(cost), train_accuracy: known(train_accuracy), test_cost: known(test_cost), test_accuracy: known(test_accuracy),
      })),
      until: (words, epochs = index.epochs) => source.until(conditionOf(words, run), epochs, refresh).finally(refresh),
      /** Which samples, through which δ, changed a weight: `why("theta1.value", [0, 2], [0, 10])`. */
      why: async (address, place, epochs) => {
        if (!Array.isArray(epochs) || epochs.length !== 2) throw new Error(`a change lies between two epochs, as in [0, 10], not ${inWords(epochs)}`);
        view.pause();
        return whyOf(run, index, requireAddress(address), [place].flat(), epochs);
      },
      Random, answered, meets,
      /** Call a function with every moment that is shown. */
      watch: (act) => {
        if (typeof act !== "function") throw new Error(`watch takes a function, not ${inWords(act)}`);
        view.watching.push(act);
      },
      addresses: () => Object.keys(run.data.slots),
      graph: () => graph(), link, state: () => stateOf(run), takeUp: refreshing(takeUp), play: view.play, pause: view.pause, show,
      ...(lead && { lesson: lead.api }),
      formula: () => { const { formula, remark, shares } = source.now(); return { formula, remark, shares }; },
      get playing() { return view.playing; },
    },
    follow, refresh, lesson: lead?.state,
  };

  function known(number) { return Number.isNaN(number) ? null : number; }
}
