// Where playing stops: at nodes, and where a condition becomes true.

/** Connect what a person chooses; `showTraining` says that the run goes on by itself. */
function stopping(root, index, run, source, view, { attempt, refresh, showTraining }) {
  const find = (selector) => root.querySelector(selector);
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
      const words = find("#condition").value, epochs = Math.max(1, numberOf(find("#epochs")));
      find("#came").textContent = "";
      source.stop = null; // what cannot be read stops nothing
      const watch = new Watch(run, readFrom(index, run, words));
      view.pause();
      source.stop = watch;
      showTraining(true);
      try {
        const came = await goOnUntil(run, watch, epochs, refresh);
        find("#came").textContent = came ? `${words}: true here` : `${words} did not become true by epoch ${run.epoch}`;
      } finally {
        showTraining(false);
      }
    });
  });
}
