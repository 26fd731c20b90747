// Live pages follow the theme of the site: what its switch says, or else the reader's system.

const dark = matchMedia("(prefers-color-scheme: dark)"), frames = document.querySelectorAll("iframe.live");

function theme() {
  const { theme: chosen } = document.body.dataset;
  return ["light", "dark"].includes(chosen) ? chosen : dark.matches ? "dark" : "light";
}

const tell = (frame) => frame.contentWindow.postMessage({ theme: theme() }, "*");
const tellAll = () => frames.forEach(tell);

frames.forEach((frame) => frame.addEventListener("load", () => tell(frame)));
new MutationObserver(tellAll).observe(document.body, { attributeFilter: ["data-theme"] });
dark.addEventListener("change", tellAll);
