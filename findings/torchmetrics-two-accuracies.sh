#!/usr/bin/env bash
# TorchMetrics 1.9.0: of the same predictions Accuracy is 83 % and MulticlassAccuracy is 90 %.
#
# Guess: Accuracy(task="multiclass") is a shorter way to MulticlassAccuracy, which is what it makes; and
# accuracy is the share of rows that are right.
#
# Seen: the first counts rows (average="micro"), the second, asked for by its own name, has the mean of the
# classes' shares as preset (average="macro"), so that a class of one row weighs as much as one of five.
# The functions, accuracy and multiclass_accuracy, differ in the same way.
#
# Here: accuracy is the share of the rows, which is what somebody compares with.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 \
    torchmetrics==1.9.0
"$folder/v/bin/python" -W ignore - <<'END'
import sys

import torch
import torchmetrics
from torchmetrics.classification import MulticlassAccuracy
from torchmetrics.functional import accuracy
from torchmetrics.functional.classification import multiclass_accuracy

right = torch.tensor([0, 0, 0, 0, 0, 1])
said = torch.tensor([0, 0, 0, 0, 1, 1])
short = torchmetrics.Accuracy(task="multiclass", num_classes=2)
found = {
    'Accuracy(task="multiclass")': short(said, right).item(),
    "MulticlassAccuracy()": MulticlassAccuracy(num_classes=2)(said, right).item(),
    'accuracy(task="multiclass")': accuracy(said, right, task="multiclass", num_classes=2).item(),
    "multiclass_accuracy()": multiclass_accuracy(said, right, num_classes=2).item(),
}
print("TorchMetrics", torchmetrics.__version__, "right", right.tolist(), "said", said.tolist())
print("the first makes a", type(short).__name__)
for name, value in found.items():
    print(f"{name:28}{value:.4f}")
rows, classes = 5 / 6, (4 / 5 + 1) / 2
wanted = [rows, classes, rows, classes]
ok = all(abs(a - b) < 1e-6 for a, b in zip(found.values(), wanted, strict=True))
sys.exit(0 if ok and type(short) is MulticlassAccuracy else "it has changed")
END
