#!/usr/bin/env bash
# ml-fnn 5.0.0: whatever activation is asked for, the hidden units are tanh; a regularisation of 0 is one of 0.01.
#
# Guess: `activation` chooses one of the functions that the package lists; 0 switches the regularisation off.
#
# Seen: a network for 'relu', 'identity' or 'logistic' is saved with 'tanh', and its hidden values are tanh of the
# weighted sums: names are looked up among the places 0, 1, 2, … of a list, where none of them is. Given "0", which
# is such a place, it is refused with a TypeError. Zeros are taken for not given: `regularization: 0` is 0.01, and
# `learningRate: 0` trains with 0.01; 1e-300 is taken. Nothing is said.
#
# Here: a graph with ReLU whose weights are compared with ml-fnn's needs tanh in the place of it, and the penalty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts ml-fnn@5.0.0 ml-matrix@6.15.1 >/dev/null
cat >one.js <<'JS'
const found = require("ml-fnn");
const Network = found.default || found;
const { Matrix } = require("ml-matrix");
const rows = [[-2, 1], [3, 0.5], [0.25, -4], [1, 1]];
const labels = [0, 1, 1, 0];
const largest = (values) => Math.max(...values.map(Math.abs));
const activations = {
  tanh: Math.tanh,
  relu: (z) => Math.max(z, 0),
  identity: (z) => z,
  logistic: (z) => 1 / (1 + Math.exp(-z)),
};
let ok = true;
for (const [name, asked] of Object.entries(activations)) {
  const network = new Network({
    hiddenLayers: [3], iterations: 5, learningRate: 0.01, regularization: 0, activation: name,
  });
  network.train(rows, labels);
  const saved = JSON.parse(JSON.stringify(network));
  network.propagate(new Matrix(rows));
  const { W, b, a } = network.model[0];
  const apart = { asked: [], tanh: [] };
  rows.forEach((row, i) => {
    for (let j = 0; j < 3; j++) {
      const z = row[0] * W.get(0, j) + row[1] * W.get(1, j) + b.get(0, j);
      apart.asked.push(a.get(i, j) - asked(z));
      apart.tanh.push(a.get(i, j) - Math.tanh(z));
    }
  });
  console.log(name, "saved as", saved.activation, "regularization", saved.regularization,
    "hidden values from tanh", largest(apart.tanh), `from ${name}`, largest(apart.asked));
  ok = ok && saved.activation === "tanh" && saved.regularization === 0.01;
  ok = ok && largest(apart.tanh) < 1e-12 && (name === "tanh" || largest(apart.asked) > 0.01);
}
const still = new Network({ learningRate: 0, regularization: 1e-300 });
console.log("rate 0 is", still.learningRate, "regularization 1e-300 is", still.regularization);
ok = ok && still.learningRate === 0.01 && still.regularization === 1e-300;
process.exit(ok ? 0 : 1);
JS
node one.js
