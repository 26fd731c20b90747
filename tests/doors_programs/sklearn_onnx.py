"""scikit-learn through skl2onnx: saves models into a folder, with rows and what they give."""

import sys
import warnings
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
x, y = load_iris(return_X_y=True)
x = x.astype(np.float32)
np.savez(folder / "x.npz", x=x)
made = {
    "three": (MLPClassifier((5,), random_state=0), y),
    "two": (MLPClassifier((5, 4), activation="tanh", random_state=0), (y == 0).astype(int)),
    "numbers": (MLPRegressor(hidden_layer_sizes=(5,), random_state=0), x[:, :2]),
    "one": (LogisticRegression(max_iter=500), (y == 0).astype(int)),
    "line": (LinearRegression(), x[:, 0]),
    "scaled": (make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(4,))), x[:, 0]),
}
for name, (estimator, target) in made.items():
    estimator.fit(x, target)
    (folder / f"{name}.onnx").write_bytes(to_onnx(estimator, x[:1]).SerializeToString())
    predict = getattr(estimator, "predict_proba", estimator.predict)
    np.savez(folder / f"{name}.npz", out=predict(x).reshape(len(x), -1))
