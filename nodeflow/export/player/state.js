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
const pastOf = ({ seed, batch, base, events }) => [seed, batch, base, events];

const isState = (state) => Array.isArray(state?.base) && Array.isArray(state.events);

/** Whether a run in one state was begun again to be in the other. */
function beganAgain(before, state) {
  return !sameText(startOf(before), startOf(state)) || (before.events.length > 0 && state.events.length === 0);
}

/** Be in a state that was told before; where that cannot be, the run is as it was. */
function takeUpState(run, state, changed = (address, value) => [[address, value]]) {
  if (!isState(state)) throw new Error(`a state is what state() has told, not ${inWords(state)}`);
  const past = stateOf(run);
  run.stop();
  try {
    if (!sameText(pastOf(state), pastOf(past))) playAgain(run, state, changed);
    if (Number.isSafeInteger(state.number)) run.seek(run.schedule.position(state.number));
  } catch (error) {
    playAgain(run, past, (address, value) => [[address, value]]);
    run.seek(run.schedule.position(past.number));
    throw error;
  }
}

/** Begin a run anew, and change what was changed at the same updates; `changed` says what that is in this form. */
function playAgain(run, { seed, batch, base, events }, changed) {
  const put = (address, value) => {
    if (Object.hasOwn(run.data.choices ?? {}, address)) run.setting(address, value);
    else if (Object.hasOwn(run.data.settings, address)) run.setting(address, unspelled(value));
    else for (const [own, numbers] of changed(address, value)) run.set(own, unspelled(numbers));
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

/** A state whose run begins with what was changed by then: weights are set before its first update. */
function fromTheStart({ seed, batch, base, events }, isWeight) {
  const latest = new Map([...base, ...events.map(([, address, value]) => [address, value])]);
  const all = [...latest], weights = all.filter(([address]) => isWeight(address));
  return { seed, batch, base: all.filter(([address]) => !isWeight(address)), events: weights.map(([address, value]) => [0, address, value]) };
}

// --- in another form of the graph ---------------------------------------------------------------
//
// Where layers are taken apart, parameters are cut into pieces: `pieces` of a form says by address of
// which whole one is a piece, and where it begins in its numbers.

/** What setting numbers in a form with some pieces comes to in a run of a form with others. */
function recut(run, from, to) {
  return (address, value) => {
    const [whole, start] = from[address] ?? [address, 0];
    const own = Object.entries(to).filter(([, [each]]) => each === whole).map(([each, [, offset]]) => [each, offset]);
    if (!own.length && !from[address]) return [[address, value]];
    const numbers = [value].flat(Infinity);
    return (own.length ? own : [[whole, 0]]).flatMap(([each, offset]) => {
      const now = flat(run.machine.read(each, 1)), first = start - offset;
      if (first >= now.length || first + numbers.length <= 0) return [];
      numbers.forEach((number, at) => { if (first + at >= 0 && first + at < now.length) now[first + at] = number; });
      return [[each, shapedAs(now, run.data.parameters[nodeOf(each)])]];
    });
  };
}

/** A state in which no start was chosen by name: its numbers were set. */
function withoutChoices(run, state) {
  const { choices = {}, parameters } = run.data, isChosen = (address) => Object.hasOwn(choices, address);
  const set = (update, address, name) => {
    const key = nodeOf(address);
    return [update, `${key}.value`, shapedAs(started(key, choices[address][name], state.seed), parameters[key])];
  };
  const begun = state.base.filter(([address]) => isChosen(address)).map(([address, name]) => set(0, address, name));
  const events = state.events.map((event) => (isChosen(event[1]) ? set(...event) : event));
  return { ...state, base: state.base.filter(([address]) => !isChosen(address)), events: [...begun, ...events] };
}

const shapedAs = (numbers, [rows, columns]) => (columns === undefined ? numbers : Array.from({ length: rows }, (_, row) => numbers.slice(row * columns, (row + 1) * columns)));

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
