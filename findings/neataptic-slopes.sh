#!/usr/bin/env bash
# neataptic 1.4.7: SOFTSIGN has the slope z/(1 + |z|)^2, and the cost MSLE goes below zero.
#
# Guess: `methods.activation.SOFTSIGN(z, true)` is the slope of z/(1 + |z|), which is 1/(1 + |z|)^2; MSLE is the mean
# of squared differences of logarithms, and 0 at best.
#
# Seen: the slope is negative left of 0, 0 at 0 and too large beyond 1, while the others have theirs. Blame passes a
# unit with a negative sum with the wrong sign: such weights are led away from the targets, without a
# word. MSLE adds up differences of logarithms that are not squared: answers that are too large make it
# negative, so that training stops at once at the error it was asked for.
#
# Here: a softsign, imported or written as a formula, has the slope 1/(1 + |z|)^2, and its weights part
# from neataptic's at the first update.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts neataptic@1.4.7 >/dev/null
cat >one.js <<'JS'
const { methods, architect } = require("neataptic");
const points = [-3, -1, -0.5, -0.1, 0.1, 0.5, 2, 3];
let ok = true;
const wrong = [];
for (const [name, one] of Object.entries(methods.activation)) {
  const apart = points.some((z) => {
    const found = (one(z + 1e-6) - one(z - 1e-6)) / 2e-6;
    return Math.abs(found - one(z, true)) > 1e-6 && !(name === "HARD_TANH" && Math.abs(z) === 1);
  });
  if (apart) wrong.push(name);
}
const slope = methods.activation.SOFTSIGN;
console.log("slopes that differ from small differences:", wrong);
console.log("SOFTSIGN", points.map((z) => [z, slope(z, true), 1 / (1 + Math.abs(z)) ** 2]));
ok = ok && wrong.join() === "SOFTSIGN" && slope(0, true) === 0;
ok = ok && points.every((z) => Math.abs(slope(z, true) - z / (1 + Math.abs(z)) ** 2) < 1e-15);

// One weight into a hidden unit of softsign, z = -1: the target asks for more of it.
const network = new architect.Perceptron(1, 1, 1);
const [from, hidden, output] = network.nodes;
for (const node of network.nodes) { node.bias = 0; node.squash = methods.activation.IDENTITY; }
hidden.squash = slope;
for (const wire of network.connections) wire.weight = wire.from === from ? -1 : 1;
const weight = network.connections.find((wire) => wire.from === from);
const before = network.activate([1])[0];
network.propagate(0.1, 0, true, [0.5]);
console.log("answer", before, "target 0.5; the weight -1 becomes", weight.weight, "and had to grow");
ok = ok && before === -0.5 && weight.weight < -1;

const cost = methods.cost.MSLE([0.2, 0.7], [0.4, 0.9]);
console.log("MSLE of answers above their targets:", cost);
ok = ok && cost < 0 && methods.cost.MSLE([0.2], [0.2]) === 0;
process.exit(ok ? 0 : 1);
JS
node one.js
