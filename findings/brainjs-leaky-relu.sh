#!/usr/bin/env bash
# brain.js 1.6.1 (what npm installs): "leaky-relu" is 0 below 0, and a hundredth of z above.
#
# Guess: a leaky ReLU passes z above 0 and leaks 0.01 z below.
#
# Seen: the output is 0 for z < 0 and 0.01 z from there on, while training multiplies blame by 1
# above 0 and by 0.01 elsewhere: the slope is that of the usual leaky ReLU, not of what the network
# computes. Two layers of it can give no more than a ten-thousandth of what comes in. 2.0.0-beta.24
# computes the usual one.
#
# Here: networks of brain.js come in by their own rule, the two versions by different formulas.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 1.6.1 2.0.0-beta.24; do
	mkdir "$version" && echo '{}' >"$version/package.json"
	(cd "$version" && npm install --silent --no-progress --ignore-scripts "brain.js@$version" >/dev/null)
done
cat >one.js <<'JS'
const { createRequire } = require("module");
const { NeuralNetwork } = createRequire(process.cwd() + "/")("brain.js");
// A single weight of 1: what comes out is the activation of what goes in.
const net = new NeuralNetwork({ hiddenLayers: [], activation: "leaky-relu" });
net.sizes = [1, 1];
net.initialize();
net.weights[1][0][0] = 1;
net.biases[1][0] = 0;
const given = [2, -2].map((z) => net.runInput(Float32Array.from([z]))[0]);
console.log(given.map((a) => a.toFixed(4)).join(" "));
JS
first=$(cd 1.6.1 && node ../one.js)
second=$(cd 2.0.0-beta.24 && node ../one.js)
echo "leaky-relu of 2 and -2: 1.6.1 $first, 2.0.0-beta.24 $second"
case "$first" in "0.0200 0.0000" | "0.0200 -0.0000") ;; *) exit 1 ;; esac
test "$second" = "2.0000 -0.0200"
