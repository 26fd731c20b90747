// What there is to change: numbers of a node, settings, and the futures that were left.

const MOST_TYPED = 144; // numbers of an array that can be typed

/** The number that was typed into a field; nothing typed is not 0. */
function numberOf(field) {
  const value = Number(field.value);
  if (field.value === "" || !Number.isFinite(value)) throw new Error(`"${field.value}" is no number`);
  return value;
}

/** Show what can be changed; `lock` gives the lesson with its locks, if there is one. Returns what shows it anew. */
function showingChange(root, index, run, source, view, { attempt, set, setting, ownerOf, lock, swap }) {
  const find = (selector) => root.querySelector(selector);
  let shownFor = null;

  const seen = Object.keys(index.nodes).filter((key) => !index.hidden?.includes(key));
  find("#which").append(...seen.map((key) => element("option", {}, key)));
  find("#which").addEventListener("change", (event) => { if (event.target.value !== view.pinned) view.pin(event.target.value); });

  /** The numbers of the node in view that can be typed, the settings, and the other futures. */
  function showChange() {
    if (find("#change").hidden) return;
    const key = view.pinned ?? view.now?.node ?? source.next(), address = `${key}.value`;
    const can = canSet(run, address), value = can ? run.given.get(address) ?? run.machine.read(address, run.schedule.samples(0)) : null;
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
    const heading = element("h3", {}, address), key = nodeOf(address), shut = lock()?.isLocked(key) ?? false;
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
    if (!lock()?.isLocked(key) || index.lesson.elsewhere) return [];
    const button = element("button", { "data-unlock": key, title: "The answer notes it" }, "Unlock");
    button.addEventListener("click", () => attempt(() => { lock().unlock(key); shownFor = null; }));
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
      find("#because").textContent = (await whyOf(run, index, asksAbout, place, [numberOf(find("#why-from")), numberOf(find("#why-to"))])).text;
    });
  });

  const trains = (address) => index.nodes[nodeOf(address)] === undefined || index.nodes[nodeOf(address)].family === "trainer";

  function showSettings() {
    const shown = Object.entries(run.data.settings).filter(([, each]) => each.shown)
      .sort(([a], [b]) => Number(trains(b)) - Number(trains(a))); // what trains stands first
    find("#settings").replaceChildren(...shown.map(([address, { value, least, most }]) => {
      const field = element("input", { type: "number", step: "any", value, "data-setting": address });
      const line = element("label", {}, element("span", {}, address), field);
      field.disabled = lock()?.isLocked(ownerOf(address)) ?? false;
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
    for (const id of ["#seed", "#batch"]) find(id).disabled = lock()?.isLocked("training") ?? false;
  }

  function showFutures() {
    find("#futures").replaceChildren(...source.futures.map((each, place) => {
      const cost = each.log.at(-1)?.[0], told = Number.isFinite(cost) ? `, cost ${show(cost)} after ${each.log.length} epochs` : "";
      const button = element("button", {}, "Go there");
      button.addEventListener("click", () => attempt(() => swap(place)));
      return element("li", {}, `${each.why}${told} `, button);
    }));
    find("#futures-part").hidden = !source.futures.length;
  }

  return showChange;
}
