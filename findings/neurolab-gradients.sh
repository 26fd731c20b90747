#!/usr/bin/env bash
# neurolab 0.3.5: the gradients of MSE, MAE and CEE are too large by the number of rows; that of SoftMax is another's.
#
# Guess: the gradients that its training goes by are those of the error that it shows, whichever error and whichever
# transfer function is chosen.
#
# Seen: with SSE and SAE they are. MSE, MAE and CEE are means over rows and outputs, but their slopes are taken row
# by row and added up: five rows give five times the gradient, so that a rate for MSE is a rate for its sum over
# the rows. The slope of SoftMax is taken for a(1 - a), each output's own, and what an output does to the others is
# left out: the gradient points elsewhere, at 27 degrees to its own with SSE below. Nothing is said.
#
# Here: the twins of neurolab have SSE. With MSE multiply the rate by the number of rows, and compare no softmax.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check neurolab==0.3.5 numpy==1.26.4 scipy==1.15.3
cd "$folder"
v/bin/python - <<'END'
import sys

import neurolab as nl
import numpy as np

rng = np.random.default_rng(0)
rows, targets = rng.normal(size=(5, 2)), rng.dirichlet(np.ones(3), size=5)


def gradients(transfer, error):
    """Return neurolab's gradient of all weights, and that by small differences of its error."""
    output = getattr(nl.trans, transfer)()
    network = nl.net.newff([[-3, 3], [-3, 3]], [2, 3], transf=[nl.trans.TanSig(), output])
    network.errorf = getattr(nl.error, error)()
    for layer in network.layers:
        for values in layer.np.values():
            values[:] = np.random.default_rng(values.size).normal(size=values.shape) / 2
    given = nl.tool.ff_grad(network, rows, targets)[0]
    told, found = [], []
    for layer, slopes in zip(network.layers, given):
        for name in sorted(layer.np):
            values = layer.np[name]
            told += slopes[name].ravel().tolist()
            for place in np.ndindex(values.shape):
                middle, sides = values[place], []
                for way in (1e-6, -1e-6):
                    values[place] = middle + way
                    sides.append(network.errorf(targets, network.sim(rows)))
                values[place] = middle
                found.append((sides[0] - sides[1]) / 2e-6)
    return np.asarray(told), np.asarray(found)


ok = True
for error, times in (("SSE", 1), ("SAE", 1), ("MSE", 5), ("MAE", 5), ("CEE", 5)):
    told, found = gradients("LogSig", error)
    print(error, "with LogSig: told / found", np.round(told / found, 4)[:4])
    ok = ok and np.allclose(told, times * found, rtol=1e-5, atol=1e-7)
for error in ("SSE", "CEE"):
    told, found = gradients("SoftMax", error)
    cosine = told @ found / np.linalg.norm(told) / np.linalg.norm(found)
    degrees = np.degrees(np.arccos(cosine))
    print(error, "with SoftMax: told and found are", degrees, "degrees apart")
    ok = ok and degrees > 10
sys.exit(0 if ok else "it has changed")
END
