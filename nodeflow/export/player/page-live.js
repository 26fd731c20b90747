// A page that computes.

const root = document.body;
document.documentElement.dataset.begun = "";
const markup = [...root.children].filter((each) => each.tagName !== "SCRIPT").map((each) => each.outerHTML).join("");
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => complain(root, toldOf(event)));
}

let player = null, held = null; // the page's player, and how far somebody has come in its lesson
let shownForm = ""; // the form of the graph that it plays
let opening = null; // the state in which the page opens
let origin = null; // where something was changed last: the form, its state, and what its parameters are pieces of
const watchers = []; // what wants to know of every moment, in any form

/**
 * Open a form of the graph: the one that the page was made of (""), its layers taken apart, or more
 * wires. It opens in the state that is `told`, or else where the form before stood.
 */
async function openForm(form, state = player?.lesson ?? held, told = null) {
  const named = (name) => (form ? `${form} ${name}` : name);
  const index = await jsonOf(named("index")), before = player;
  opening ??= index.state ?? false;
  const placeOf = (name) => index.same?.[name] ?? named(name);
  const parts = Object.fromEntries(await Promise.all(index.parts.map(async (name) => [name, await bytesOf(placeOf(name))])));
  if (index.other) index.other.open = (wanted, fragment = "") => openForm(wanted).then(() => player.follow(fragment));
  if (index.lesson) Object.assign(index.lesson, { open: openForm, state: state ?? undefined });
  const rewired = state && before?.lesson && state.wired.length > before.lesson.wired.length;
  let trouble = null;
  const arrive = (run) => {
    try {
      if (told) takeUpState(run, told);
      else standAs(run, before, index, form, rewired);
    } catch (error) {
      trouble = error;
      run.startAgain();
    }
  };
  held = state;
  const focused = document.activeElement;
  if (before) {
    before.end();
    for (const each of [...root.children]) if (each.tagName !== "SCRIPT") each.remove();
    root.insertAdjacentHTML("afterbegin", markup);
  }
  player = await computing(root, { index, parts, arrive: before && arrive });
  shownForm = form;
  Object.defineProperties(window.nodeflow, Object.getOwnPropertyDescriptors(player.api));
  Object.assign(window.nodeflow, { state: stateNow, takeUp, watch, join });
  for (const act of watchers) player.api.watch(act);
  if (before && focused !== document.body) refocus(focused.id);
  if (trouble) throw trouble;
}

/** Have the element with the name of the one that had the focus have it again, or what the lesson asks for now. */
function refocus(id) {
  const wanted = [id && `#${CSS.escape(id)}`, "#task-do :is(input, select, button)", "#task-text"].filter(Boolean);
  wanted.map((each) => root.querySelector(each)).find((each) => each?.offsetWidth)?.focus();
}

/**
 * Have the run of a form stand where that of the form before did: other nodes have other numbers of
 * steps, and the same samples. With a new wire it begins anew, as in Python.
 */
function standAs(run, before, index, form, rewired) {
  const was = before.api.state(), { epoch, sample } = before.api.moment();
  if (!sameText(origin?.arrived, pastOf(was))) origin = { form: shownForm, state: was, run: before.run, pieces: before.pieces };
  const isWeight = (address) => address.endsWith(".value") && Object.hasOwn(run.data.parameters, nodeOf(address));
  if (rewired) takeUpState(run, fromTheStart(origin.state, isWeight));
  else if (origin.form === form) takeUpState(run, { ...origin.state, number: null });
  else takeUpState(run, { ...withoutChoices(origin.run, origin.state), number: null }, recut(run, origin.pieces, index.pieces ?? {}));
  origin.arrived = pastOf(stateOf(run));
  run.goto(rewired ? 0 : epoch, rewired ? 0 : sample);
}

/** What the moment in view follows from; of a lesson also how far somebody has come, and by which wires. */
function stateNow() {
  return { ...player.api.state(), ...(player.lesson && { form: shownForm, lesson: structuredClone(player.lesson) }) };
}

/** Be in a state that was told before; what keeps the page from it is said in it as well. */
async function takeUp(wanted) {
  try {
    const here = stateNow(), { form = shownForm, lesson } = wanted ?? {};
    if (lesson && !sameText([form, lesson], [here.form, here.lesson])) await openForm(form, structuredClone(lesson), wanted);
    else player.api.takeUp(wanted);
  } catch (error) {
    complain(root, error.message);
    throw error;
  }
}

/** Call a function with every moment that is shown. */
function watch(act) {
  watchers.push(act);
  player.api.watch(act);
}

/** Open the page as it was made, and follow its address. */
async function start() {
  await openForm("");
  if (opening) await takeUp(opening);
  window.nodeflow.page = opening?.page; // a notebook's widget may have had others
  const follow = () => player.follow(location.hash).catch((error) => complain(root, error.message)).finally(() => player.refresh());
  await follow();
  addEventListener("hashchange", follow);
  window.nodeflow.opened = performance.now();
  document.documentElement.dataset.ready = "";
}

const { begin } = window.nodeflow;
delete window.nodeflow.begin;
begin(start());
