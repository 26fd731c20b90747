// Elements of the page, made in one line.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return filled(made, attributes, children);
}

function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return filled(made, attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A name with its middle left out where it is too long. */
function fitting(name, most) {
  if (name.length <= most) return name;
  const half = (most - 1) >> 1;
  return `${name.slice(0, most - 1 - half)}…${name.slice(-half)}`;
}

const textAt = (x, y, words, attributes = {}) => shape("text", { x, y, ...attributes }, words);
