#!/usr/bin/env bash
# brain 0.7.0: every answer of `run` is one and the same array, so that answers that are kept are all the last one.
#
# Guess: `rows.map((row) => network.run(row))` gives the answers of the rows.
#
# Seen: `run` gives the network's own array of outputs and fills it again at the next call: the list holds the last
# row's answer as often as there are rows. With named outputs each answer is an object of its own. In brain.js
# 1.6.1, which came after it, `run` copies; `runInput`, which it calls, does not.
#
# Here: `toJSON()` of brain 0.7 is imported as that of brain.js; to compare, copy its answers with
# `Array.from(network.run(row))`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' >package.json
npm install --silent --no-progress --ignore-scripts brain@0.7.0 brain.js@1.6.1 >/dev/null
cat >one.js <<'JS'
const rows = [[0, 1], [1, 0], [0.25, 0.75]];
const data = [{ input: [0, 1], output: [1] }, { input: [1, 0], output: [0] }];
const named = data.map(({ input, output }) => ({ input, output: { yes: output[0] } }));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
let ok = true;
for (const [name, kept] of [["brain", false], ["brain.js", true]]) {
  const { NeuralNetwork } = require(name);
  const network = new NeuralNetwork();
  network.train(data, { iterations: 500 });
  const list = rows.map((row) => network.run(row));
  const copies = rows.map((row) => Array.from(network.run(row)));
  console.log(name, "list", list.map((one) => one[0]), "copies", copies.map((one) => one[0]));
  ok = ok && copies[0][0] > copies[1][0] + 0.1;
  ok = ok && (kept ? same(list.map((one) => Array.from(one)), copies) : list.every((one) => one === list[0]));
  ok = ok && network.runInput(rows[0]) === network.runInput(rows[1]);
  const other = new NeuralNetwork();
  other.train(named, { iterations: 500 });
  const [first, second] = rows.map((row) => other.run(row));
  ok = ok && first !== second && first.yes > second.yes;
}
process.exit(ok ? 0 : 1);
JS
node one.js
