// Predict, then reveal: before a step is made by hand, its number is asked.

const ANSWER = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)(?:\/([+-]?(?:\d+(?:\.\d*)?|\.\d+)))?$/i;

const LONGEST_ANSWER = 60;

/** A typed number and what its last digit counts (0 of a fraction); null if it is none. */
function answered(words) {
  const typed = words.replace(/[−–]/g, "-").replaceAll(" ", "").replaceAll(",", "."), found = ANSWER.exec(typed);
  if (!found || typed.length > LONGEST_ANSWER) return null;
  const [, top, below = "1"] = found, value = Number(top) / Number(below);
  if (!Number.isFinite(value)) return null;
  if (found[2] !== undefined) return { value, place: 0 };
  const [digits, power = "0"] = top.toLowerCase().split("e");
  return Math.abs(power) > 300 ? null : { value, place: 10 ** (Number(power) - (digits.split(".")[1] ?? "").length) };
}

/** Whether an answer is right: within 1 %, or 0.005, or as many digits as were typed (Python's rule). */
function meets({ value, place }, expected, base = 0) {
  const size = Math.abs(expected - base), off = Math.abs(value - expected), slack = 1 + 1e-9;
  const absolute = size < 1e-12 ? 0.005 : Math.min(0.005, 0.1 * size);
  return off <= slack * Math.max(0.01 * size, absolute) || (size * slack >= place && off <= (slack * place) / 2);
}

/** Connect the question; `move` makes the step. */
function predicting(root, index, run, view, attempt) {
  const find = (selector) => root.querySelector(selector);
  let on = false, askedAt = -1;

  const nextIn = () => run.at.place;
  const asks = () => on && index.formulas[nextIn()].asks;

  function showQuestion() {
    const form = find("#question");
    form.hidden = !asks();
    if (form.hidden || askedAt === run.number) return;
    askedAt = run.number; // what is typed stays, as long as the question does
    const place = nextIn(), key = run.schedule.order[place], { outputs, symbols, shape } = index.formulas[place];
    const samples = run.schedule.samples(run.at.update), size = shape.map((each) => each ?? samples);
    const many = size.reduce((all, each) => all * each, 1) > 1, used = size.length === 2 && size[0] === 1 ? [1] : size.map(() => 1);
    find("#asked").textContent = `${key}: ${symbols}. What is ${outputs[0]}${many ? subscripted(used.join(",")) : ""}?`;
    find("#answer").value = "";
  }

  function toggle() {
    on = !on;
    find("#predict").setAttribute("aria-pressed", String(on));
    find("#verdict").textContent = "";
    showQuestion();
    if (asks()) find("#answer").focus();
  }

  find("#question").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => {
      const answer = answered(find("#answer").value);
      if (!answer) throw new Error(`'${find("#answer").value}' is no number: type one such as 0.25, −3 or 2/3`);
      const place = nextIn(), key = run.schedule.order[place], address = `${key}.${index.formulas[place].outputs[0]}`;
      const moved = index.remarks[place].kind === "moved" ? run.cell(index.remarks[place].inputs.parameter, 0, 0) : 0;
      run.step(1);
      askedAt = -1;
      const found = run.cell(address, 0, 0) ?? run.value(address).flat()[0], right = meets(answer, found, moved);
      find("#verdict").textContent = right ? `Right: it is ${show(found)}.` : `No: it is ${show(found)}, not ${show(answer.value)}.`;
      find("#verdict").className = right ? "right" : "wrong";
    });
  });

  find("#predict").addEventListener("click", toggle);
  view.keys.p = toggle;
  view.watching.push(showQuestion);
}
