#!/usr/bin/env bash
# synaptic 1.1.4: in a network TANH is NaN from 710 on, where the neuron alone gives 1.
#
# Guess: a network computes what its neurons do; tanh of a large number is 1.
#
# Seen: a neuron uses Math.tanh. A network writes a program of its neurons when it is first activated, and in that
# tanh is a quotient of exponentials, Infinity by Infinity from 710 on. So NaN comes out for one far input, and
# after one update from it every weight is NaN. `setOptimize(false)` keeps the neurons. LOGISTIC has its limits
# either way.
#
# Here: tanh has its limits at any distance, and standardised inputs never get there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts synaptic@1.1.4 >/dev/null
cat >one.js <<'JS'
const { Layer, Network, Neuron } = require("synaptic");
function made(squash) {
  const input = new Layer(1);
  const output = new Layer(1);
  input.project(output);
  const [unit] = output.list;
  unit.squash = Neuron.squash[squash];
  unit.bias = 0;
  for (const wire of Object.values(unit.connections.inputs)) wire.weight = 1;
  return new Network({ input, output });
}
let ok = true;
for (const [squash, far] of [["TANH", NaN], ["LOGISTIC", 1]]) {
  const network = made(squash);
  const neurons = made(squash);
  neurons.setOptimize(false);
  const found = [3, 700, 711].map((z) => network.activate([z])[0]);
  const plain = [3, 700, 711].map((z) => neurons.activate([z])[0]);
  console.log(squash, "of 3, 700, 711: network", found, "neurons", plain);
  ok = ok && Math.abs(found[0] - plain[0]) < 1e-12 && found[1] === 1 && plain[2] === 1;
  ok = ok && Object.is(found[2], far);
}
const network = made("TANH");
network.activate([711]);
network.propagate(0.1, [0.5]);
const after = network.activate([3])[0];
console.log("after an update from 711, the answer for 3 is", after);
process.exit(ok && Number.isNaN(after) ? 0 : 1);
JS
node one.js
