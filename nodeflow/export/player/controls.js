// Buttons, sliders and keys of a player.

/** Connect them until `signal`; returns the keys by name, to which others may be added, and whether the screen is small. */
function controlling(root, index, source, player, { signal, move, fit, fold, goto, again }) {
  const find = (selector) => root.querySelector(selector);

  function toggleTheme() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  // Pictures have the colours of a theme, whoever changes it.
  const themed = new MutationObserver(again);
  themed.observe(root, { attributeFilter: ["data-theme"] });
  signal.addEventListener("abort", () => themed.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again, { signal });

  function toggleSide(open = root.classList.contains("narrow")) {
    root.classList.toggle("narrow", !open);
    find("#side").setAttribute("aria-expanded", String(open));
  }

  const actions = {
    play: () => (player.playing ? player.pause() : player.play()),
    next: () => move(1), previous: () => move(-1),
    forth: () => move(1, player.level), back: () => move(-1, player.level),
    fit, fold, theme: toggleTheme, side: () => toggleSide(), help: () => find("#keys").showModal(),
  };
  for (const [id, act] of Object.entries(actions)) find(`#${id}`).addEventListener("click", () => act());
  find("#level").addEventListener("change", (event) => player.setLevel(event.target.value));
  find("#speed").addEventListener("input", (event) => player.setSpeed(event.target.value));
  find("#scrub").addEventListener("input", (event) => goto(Number(event.target.value)));

  const keys = {
    " ": actions.play, f: fit, u: fold, t: toggleTheme, v: actions.side, "?": actions.help,
    Home: () => goto(0), End: () => goto(source.last()), "+": () => player.changeSpeed(0.5), "-": () => player.changeSpeed(-0.5),
  };

  /** What a key does; undefined for nothing. */
  function meantBy({ key, shiftKey }) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[key], level = index.levels[Number(key) - 1];
    if (way) return () => move(way, shiftKey ? player.level : "step");
    return level ? () => player.setLevel(level) : keys[key] ?? keys[key.toLowerCase()];
  }

  root.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || find("#keys").open) return;
    if (at.matches("select, #speed, input:not(#scrub), textarea") || (event.key === " " && at.matches("button"))) return;
    const act = meantBy(event);
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal });

  const small = matchMedia("screen and (max-width: 47.5em), screen and (max-height: 30em)");
  const crowded = index.lesson ? matchMedia("screen and (max-width: 62.5em), screen and (max-height: 30em)") : small; // tasks stand beside the graph as well
  crowded.addEventListener("change", () => toggleSide(!crowded.matches), { signal });
  toggleSide(!crowded.matches);
  return { keys, small };
}
