// What a moment follows from, as plain data: told, taken up again, and packed into an address.

const LONGEST_LINK = 8192; // characters of an address

const sameText = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const MINUS_ZERO = "\u0000-0", ITS_TEXT = JSON.stringify(MINUS_ZERO);

/** A value as JSON; −0 stays what it is, which JSON.stringify forgets. */
function exactText(value, indent) {
  return JSON.stringify(value, (_, each) => (Object.is(each, -0) ? MINUS_ZERO : each), indent).replaceAll(ITS_TEXT, "-0.0");
}

/** −0 is spelled where others make JSON of a state. */
const spelled = (value) => (Array.isArray(value) ? value.map(spelled) : Object.is(value, -0) ? "-0" : value);
const unspelled = (value) => (Array.isArray(value) ? value.map(unspelled) : Number(value));

/** All that the moment in view follows from: `base` held at the start, `events` are what was changed at which update. */
function stateOf(run) {
  return {
    seed: run.seed, batch: run.schedule.batch, number: run.number,
    base: run.base.map(([address, value]) => [address, spelled(value)]),
    events: run.events.map(([update, address, value]) => [update, address, spelled(value)]),
  };
}

const startOf = ({ seed, batch, base }) => [seed, batch, base];

const isState = (state) => Array.isArray(state?.base) && Array.isArray(state.events);

/** Whether a run in one state was begun again to be in the other. */
function beganAgain(before, state) {
  return !sameText(startOf(before), startOf(state)) || (before.events.length > 0 && state.events.length === 0);
}

/** Be in a state that was told before; where that cannot be, the run is as it was. */
function takeUpState(run, state) {
  if (!isState(state)) throw new Error(`a state is what state() has told, not ${inWords(state)}`);
  const past = stateOf(run);
  run.stop();
  try {
    if (!sameText([...startOf(state), state.events], [...startOf(past), past.events])) playAgain(run, state);
    if (Number.isSafeInteger(state.number)) run.seek(run.schedule.position(state.number));
  } catch (error) {
    playAgain(run, past);
    run.seek(run.schedule.position(past.number));
    throw error;
  }
}

/** Begin a run anew, and change what was changed at the same updates. */
function playAgain(run, { seed, batch, base, events }) {
  const put = (address, value) => {
    if (Object.hasOwn(run.data.choices ?? {}, address)) run.setting(address, value);
    else if (Object.hasOwn(run.data.settings, address)) run.setting(address, unspelled(value));
    else run.set(address, unspelled(value));
  };
  run.startAgain();
  if (batch !== run.schedule.batch) run.setBatch(batch);
  for (const [address, value] of base) put(address, value);
  if (base.length || seed !== run.seed) run.reset(seed);
  for (const [update, address, value] of events) {
    run.seek({ update, pass: 0, place: 0 });
    put(address, value);
  }
}

/**
 * The state of a form of the graph for another form. What was set of its `own` weights stays with it,
 * and is there again when somebody comes back, as far as nothing before it was changed meanwhile:
 * `left` is how the other form was left.
 */
function carriedOver(state, own, left = null) {
  const without = ({ events }, addresses) => events.filter(([, address]) => !addresses.has(address));
  const shared = without(state, own), known = left ? without(left.state, left.own) : [];
  const same = left && sameText([startOf(left.state), known], [startOf(state), shared.slice(0, known.length)]);
  if (!same) return { ...state, events: shared };
  const more = shared.slice(known.length), end = more[0]?.[0] ?? Infinity;
  return { ...state, events: [...left.state.events.filter(([update]) => update <= end), ...more] };
}

/** A state whose run begins with what was changed by then: weights are set before its first update. */
function fromTheStart({ seed, batch, base, events }, isWeight) {
  const latest = new Map([...base, ...events.map(([, address, value]) => [address, value])]);
  const all = [...latest], weights = all.filter(([address]) => isWeight(address));
  return { seed, batch, base: all.filter(([address]) => !isWeight(address)), events: weights.map(([address, value]) => [0, address, value]) };
}

// --- in an address ------------------------------------------------------------------------------

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function packedText(text) {
  const bytes = await through(new CompressionStream("deflate"), text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpackedText(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(await through(new DecompressionStream("deflate"), bytes));
}

/** The part of an address that says a state: with the graph whole where there is room. */
async function linkOf(told, graph) {
  let packed = await packedText(exactText({ ...told, graph }));
  if (packed.length > LONGEST_LINK) packed = await packedText(exactText(told));
  if (packed.length > LONGEST_LINK) throw new Error("what was changed is too much for an address: take the graph home as a file");
  return `#${packed}`;
}

/** What such a part of an address says. */
async function toldByLink(fragment) {
  try {
    if (fragment.length > LONGEST_LINK + 1) throw new Error("too long");
    const state = JSON.parse(await unpackedText(fragment.slice(1)));
    if (!isState(state)) throw new Error("not ours");
    return state;
  } catch {
    throw new Error("the part of the address after # is damaged, so the page shows its own graph: copy the whole address again");
  }
}
