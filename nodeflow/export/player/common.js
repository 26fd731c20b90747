// What several parts of a page need.

const nodeOf = (address) => address.slice(0, address.lastIndexOf("."));

function shapeOf(value) {
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
}

/** An address that a script gave; whatever is none is said. */
function requireAddress(address) {
  if (typeof address !== "string") throw new Error(`an address is a text such as "hidden.z", not ${inWords(address)}`);
  return address;
}

/** Refuse what is no whole number from 0. */
function requireCount(name, value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number from 0, not ${inWords(value)}`);
}

/** What a script gave, in words. */
const inWords = (value) => (typeof value === "object" ? JSON.stringify(value) ?? "nothing" : String(value));

const flat = (value) => (Array.isArray(value) ? value.flat(Infinity) : [value]);

/** The smallest of numbers; of more than a function takes as arguments, too. */
const minimum = (numbers) => numbers.reduce((least, each) => Math.min(least, each), Infinity);
/** The largest of numbers, however many. */
const maximum = (numbers) => numbers.reduce((most, each) => Math.max(most, each), -Infinity);

/** A value as rows of numbers. */
const rowsOf = (value) => (Array.isArray(value[0]) ? value : [flat(value)]);

/** The place of the last item that is at most `wanted`. */
function lastUpTo(items, wanted, key = (item) => item) {
  let low = 0, high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(items[middle]) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Say on the page what has gone wrong, or (`fine`) what was done where nobody would see it. */
function complain(root, words, fine = false) {
  const place = root.querySelector("#trouble");
  place.textContent = words;
  place.classList.toggle("fine", fine);
  place.hidden = !words;
}

/** What an error event is to say: our own sentences as they are, others with what may help. */
function toldOf(event) {
  const error = event.reason ?? event.error;
  return error?.constructor === Error ? error.message : `This page cannot go on: ${event.message ?? error?.message ?? error}. A newer browser may help.`;
}

/** What somebody may have meant by a word that is not known. */
function nearest(word, known) {
  const near = known.map((each) => [distance(word, each), each]).sort(([a], [b]) => a - b)[0];
  return near && near[0] <= Math.max(2, word.length / 3) ? `; did you mean '${near[1]}'?` : "";
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length];
}

/** Call a function when the page has answered whatever waits. */
const soon = (() => {
  const { port1, port2 } = new MessageChannel(), waiting = [];
  port1.onmessage = () => waiting.shift()();
  return (then) => { waiting.push(then); port2.postMessage(0); };
})();
