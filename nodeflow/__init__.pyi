# Made by `make stub` from the declarations of the library.
"""nodeflow: take neural networks apart, node by node."""

from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike

from nodeflow.data.memory import hold as hold
from nodeflow.declare import Output as Output
from nodeflow.declare import node as node
from nodeflow.derive import collapse as collapse, explode as explode, fold as fold, unfold as unfold
from nodeflow.derive.feeding import with_data as with_data
from nodeflow.derive.rates import with_rate as with_rate
from nodeflow.engine.check import check as check
from nodeflow.engine.run import Run as Run
from nodeflow.engine.step import Step as Step
from nodeflow.engine.verdicts import Check as Check
from nodeflow.errors import NodeflowError as NodeflowError
from nodeflow.examples import sample as sample
from nodeflow.export.widget import Widget as Widget
from nodeflow.files import load as load, save as save
from nodeflow.graph import Graph as Graph, Node as Node, Training as Training, Wire as Wire
from nodeflow.interchange.keras import from_keras as from_keras, to_keras as to_keras
from nodeflow.interchange.sklearn import from_sklearn as from_sklearn, to_sklearn as to_sklearn
from nodeflow.interchange.torch import from_torch as from_torch, to_torch as to_torch
from nodeflow.playback.player import Player as Player
from nodeflow.sweeps import folds as folds, sweep as sweep

__version__: str

_Wire = Output | ArrayLike
"""What an input takes: a wire builds a node, numbers are computed with."""

def accumulate(gradient: _Wire, previous: _Wire | None = None, *, id: str | None = None) -> Any:
    """Add a sample's gradient to the total of the batch so far.

    `previous` is fed by its own `total`; each update starts again from 0. A graph with one runs
    each update as a loop over its samples.

    Δ ← Δ + D
    gradient, previous? → total
    """

def accuracy(a: _Wire, y: _Wire, *, threshold: float = 0.5, id: str | None = None) -> Any:
    """Give 1 for a sample whose class is right, 0 for one that is wrong.

    The class is the place of the largest output; with a single output, whether it reaches the
    threshold.

    1 if the largest of a is the largest of y
    a, y → value
    """

def adam(
    cost: _Wire,
    *,
    rate: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-08,
    id: str | None = None,
) -> Any:
    """Step each weight by its own gradient's running mean over its running size.

    D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.

    Θ ← Θ − α m̂ / (√v̂ + ε)
    cost →
    rate: from 0
    beta1: from 0 below 1
    beta2: from 0 below 1
    epsilon: from 0
    """

def add(*a: _Wire | Sequence[_Wire], id: str | None = None) -> Any:
    """Add the inputs number by number; a single number is added to every feature.

    a₁ + a₂ + …
    a… → value
    """

def average(
    total: _Wire,
    weights: _Wire | None = None,
    *,
    regularization: float = 0.0,
    id: str | None = None,
) -> Any:
    """Divide the summed gradient by the number n of samples and add λΘ: D = ∂J/∂Θ.

    With weights D has their shape, where the total has as many numbers in another one.

    D = Δ/n + λΘ
    total, weights? → gradient
    regularization: from 0
    """

def bars(value: _Wire, *, id: str | None = None) -> Any:
    """Show the numbers of a row as bars.

    value as bars
    value →
    """

def bias_gradient(delta: _Wire, *, id: str | None = None) -> Any:
    """Add up δ over the samples: a bias is a weight whose input is always 1.

    Δ = Σ δ
    delta → gradient
    """

def blame(delta: _Wire, weights: _Wire, *, id: str | None = None) -> Any:
    """Pass each δ back along its weights: bᵢ = Σⱼ Θⱼᵢ δⱼ, which is ∂C/∂a of the layer before.

    b = Θᵀδ
    delta, weights → blame
    """

def blame_shares(delta: _Wire, weights: _Wire, *, id: str | None = None) -> Any:
    """Show how much of an error each neuron before a layer answers for, the most first.

    Of all Θⱼᵢ δⱼ of the first sample a neuron has those of its own weights: its share is the sum
    of their sizes over the sum of all.

    |Θⱼᵢ δⱼ| / Σ |Θⱼᵢ δⱼ|
    delta, weights →
    """

def boundary(x: _Wire, a: _Wire, *, id: str | None = None) -> Any:
    """Colour the plane of two inputs by the output of the network.

    a over the plane of x
    x, a →
    """

def categorical_cross_entropy(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Count the surprise of the right class: C = −Σ y ln a, for shares that add up to 1.

    C = −Σ y ln a
    a, y → cost
    """

def categorical_cross_entropy_blame(
    blame: _Wire,
    a: _Wire,
    y: _Wire,
    *,
    id: str | None = None,
) -> Any:
    """Pass blame through categorical cross-entropy: −b y / a.

    ∂C/∂a through categorical_cross_entropy
    blame, a, y → blame
    """

def concatenate(*a: _Wire | Sequence[_Wire], id: str | None = None) -> Any:
    """Join the inputs side by side, in the order of the wires.

    [a₁, a₂, …]
    a… → value
    """

def confusion(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Count which class was taken for which.

    A row of the table is an actual class, a column a predicted one; up to 5,000 training rows are
    counted, with the weights of now.

    counts of a by y
    a, y →
    """

def constant(value: ArrayLike = 0.0, *, id: str | None = None) -> Output:
    """Hold a number, a row of numbers, or several rows.

    Several rows feed a network as the samples of one batch; into a `weights` port they are a
    matrix out×in.

    value
    → value
    """

def cross_entropy(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Count the surprise of each output as the probability of its target, 0 or 1.

    a must lie in 0 … 1, as after a sigmoid.

    C = −Σ (y ln a + (1−y) ln(1−a))
    a, y → cost
    """

def cross_entropy_blame(blame: _Wire, a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Pass blame through cross-entropy: b (a − y) / (a (1 − a)).

    ∂C/∂a through cross_entropy
    blame, a, y → blame
    """

def curve(x: _Wire, a: _Wire, y: _Wire, *, beyond: float = 0.5, id: str | None = None) -> Any:
    """Draw points, the function that is fitted to them, and in grey what lies beyond them.

    `beyond` is how far it is drawn past the last point on either side, in shares of their range.

    a over x, through the points (x, y)
    x, a, y →
    beyond: from 0 up to 10
    """

def dataset(
    source: str = 'xor',
    target: str | int | Sequence[str | int] | None = None,
    scale: Literal['none', 'minmax', 'standard'] = 'none',
    test: float = 0.0,
    shuffle: bool = True,
    scale_target: Literal['none', 'minmax', 'standard'] = 'none',
    target_kind: Literal['auto', 'classes', 'numbers'] = 'auto',
    header: Literal['auto', 'yes', 'no'] = 'auto',
    missing: Literal['refuse', 'drop', 'mean', 'keep'] = 'refuse',
    text: Literal['onehot', 'ordinal', 'drop'] = 'onehot',
    features: str | int | Sequence[str | int] | None = None,
    drop: str | int | Sequence[str | int] | None = None,
    separator: str = 'auto',
    decimal: Literal['auto', '.', ','] = 'auto',
    thousands: str = 'auto',
    skip: int = 0,
    missing_mark: str | int | Sequence[str | int] | None = None,
    encoding: str = 'auto',
    *,
    id: str | None = None,
) -> tuple[Output, Output]:
    """Feed the rows of a data set: features x and targets y.

    Who looks for the input layer: it is x, the numbers as they come. Nothing is computed there, so
    it is no layer; the first layer is the first weighted sum.

    `source` is a generator (and, or, xor, circle, spiral, moons, blobs, polynomial), a set that
    scikit-learn brings (iris, wine, digits, …), `mnist-20x20` (600 of each digit of MNIST,
    without their margins), or a file (CSV and other text, ARFF, MATLAB, NPZ, IDX, Parquet, Excel)
    relative to the graph file. `target` is the target column (by default the last one, or the one
    whose name or place says so), `target_kind` whether it holds classes or numbers. `scale` uses
    the training rows' statistics, and so does `scale_target`, for targets that are numbers.
    `test` is the fraction of rows kept for testing, `shuffle` gives each epoch its own order;
    both follow from the seed alone. The other settings say how a file is read, where that is not
    to be found in it: `header`, `missing` values (refused, their rows dropped, the column's mean,
    or kept as texts), `text` features (one column per text, one number per text, or left out), the
    `features` to take or columns to `drop`, `separator`, `decimal` and `thousands` mark, lines
    to `skip`, further marks of a missing value (`missing_mark`), and the `encoding` of its text.

    x, y = row i of the data
    → x, y
    test: from 0 below 1
    skip: from 0
    """

def delta(
    blame: _Wire,
    a: _Wire,
    *,
    activation: Literal['sigmoid', 'tanh', 'relu', 'leaky_relu', 'softplus', 'identity', 'softmax'] = 'sigmoid',
    id: str | None = None,
) -> Any:
    """Multiply blame by the slope of the activation: δ = ∂C/∂z.

    The slope g′(z) is found from a = g(z): a(1−a) for the sigmoid, 1−a² for tanh. For softmax
    δⱼ = aⱼ (bⱼ − Σₖ bₖ aₖ).

    δ = b ⊙ g′(z)
    blame, a → delta
    """

def dictionary(values: _Wire | Sequence[_Wire] | None = None, *, id: str | None = None) -> Any:
    """Show parameters as a dictionary of numbers by name; without a wire all of the graph.

    {name: numbers}
    values…? →
    """

def divide(a: _Wire, b: _Wire, *, id: str | None = None) -> Any:
    """Divide a by b, number by number.

    a / b
    a, b → value
    """

def error(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Subtract the target from the output: e = a − y, the sign is the same everywhere.

    e = a − y
    a, y → e
    """

def exp(a: _Wire, *, id: str | None = None) -> Any:
    """Raise e to each number.

    e^a
    a → value
    """

def expression(
    *inputs: _Wire,
    formula: str = 'a + b',
    id: str | None = None,
    **named: _Wire,
) -> Any:
    """Calculate a formula number by number; its names become input ports.

    Numbers, names, + − * / ^, pi, e, and exp, log, sqrt, sin, cos, tanh, sigmoid, erf, abs,
    sign, step, max, min. Where both sides of max or min are equal, the slope is the second one's:
    at 0 it is 0 for max(z, 0), and 1 for max(0, z).

    formula
    the names in it → value
    """

def function_plot(
    x: _Wire,
    *a: _Wire | Sequence[_Wire],
    low: float = -6.0,
    high: float = 6.0,
    id: str | None = None,
) -> Any:
    """Draw values as functions of one number x, with the point that it has now and the slope there.

    Up or down, and by how much: the slope is measured from just below to just above the point.

    a over x
    x, a… →
    """

def gradient_approx(
    *parameter: _Wire | Sequence[_Wire],
    epsilon: float = 0.0001,
    id: str | None = None,
) -> Any:
    """Measure ∂J/∂Θ: move each number up and down by ε and look at the cost, twice a number.

    One column, in the order of `unroll`, of J of the pass. It is slow, N numbers take 2N forward
    passes: disable it once the gradients are checked, by the switch in its header. At full speed
    it is left out where nothing is trained by it.

    D ≈ (J(θ + ε) − J(θ − ε)) / 2ε
    parameter… → gradient
    epsilon: from 1e-12 up to 1
    """

def gradient_descent(
    cost: _Wire,
    *,
    rate: float = 0.1,
    momentum: float = 0.0,
    id: str | None = None,
) -> Any:
    """Step every parameter against its gradient.

    With momentum μ a velocity is kept: v ← μv + ∂J/∂Θ, Θ ← Θ − αv.

    Θ ← Θ − α ∂J/∂Θ
    cost →
    rate: from 0
    momentum: from 0 below 1
    """

def identity(z: _Wire, *, id: str | None = None) -> Any:
    """Pass the weighted sum on as it is.

    a = z
    z → a
    """

def image(value: _Wire, *, id: str | None = None) -> Any:
    """Show each row as a grey picture.

    rows as tiles
    value →
    """

def l2_penalty(
    *weights: _Wire | Sequence[_Wire],
    regularization: float = 0.01,
    id: str | None = None,
) -> Any:
    """Make large weights cost something: (λ/2) Σ Θ². Wire no bias into it.

    C = λ/2 · Σ Θ²
    weights… → cost
    regularization: from 0
    """

def landscape(
    *parameter: _Wire | Sequence[_Wire],
    low: float = -5.0,
    high: float = 5.0,
    index: int | Sequence[int] | None = None,
    id: str | None = None,
) -> Any:
    """Draw J over two numbers of parameters, its minima, and where training stands.

    Everything else stays as it is. Of more than two numbers `index` chooses two, counted from 0
    through the wired parameters.

    J over two numbers
    parameter… →
    """

def leaky_relu(z: _Wire, *, id: str | None = None) -> Any:
    """Pass positive weighted sums, and a hundredth of negative ones.

    a = z if z > 0 else 0.01·z
    z → a
    """

def log(a: _Wire, *, id: str | None = None) -> Any:
    """Take the natural logarithm of each number.

    ln a
    a → value
    """

def log_others(z: _Wire, *, id: str | None = None) -> Any:
    """Give the logarithm of what each share of a softmax leaves to the others.

    ln(1 − aⱼ) = ln Σₖ≠ⱼ e^zₖ − ln Σₖ e^zₖ
    z → log
    """

def log_softmax(z: _Wire, *, id: str | None = None) -> Any:
    """Give the logarithm of each share of a softmax, also where the share itself is 0 or 1.

    ln aⱼ = zⱼ − ln Σₖ e^zₖ
    z → log
    """

def margin(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Give how far the right output is above the best wrong one: above 0 the answer is right.

    It moves while accuracy stands still. A single output a says 1 with a and 0 with 1 − a.

    right output − best wrong one
    a, y → value
    """

def margin_blame(blame: _Wire, a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Pass blame through the margin: b to the right output, −b to the best wrong one.

    ∂C/∂a through margin
    blame, a, y → blame
    """

def mean(a: _Wire, *, id: str | None = None) -> Any:
    """Average the features of each sample.

    Σ a / count
    a → value
    """

def mean_blame(blame: _Wire, a: _Wire, *, id: str | None = None) -> Any:
    """Give every feature of `a` its share of the blame of their mean: b / count.

    ∂C/∂a through mean
    blame, a → blame
    """

def minimize(cost: _Wire, *, method: Literal['cg', 'l-bfgs'] = 'cg', id: str | None = None) -> Any:
    """Minimise J over all training rows at once with SciPy; one update is one iteration.

    Its line search tries weights that no update keeps, so it has no backward pass of its own to
    unfold: it stays folded.

    Θ = argmin J
    cost →
    """

def multiply(*a: _Wire | Sequence[_Wire], id: str | None = None) -> Any:
    """Multiply the inputs number by number; a single number scales every feature.

    a₁ · a₂ · …
    a… → value
    """

def panel(value: _Wire | Sequence[_Wire], *, id: str | None = None) -> Any:
    """Show any value as text.

    value
    value… →
    """

def parameter(
    value: ArrayLike | None = None,
    shape: Sequence[int] | None = None,
    init: Literal['zeros', 'constant', 'uniform', 'normal', 'glorot', 'naive_bayes'] = 'glorot',
    trainable: bool = True,
    range: ArrayLike | None = None,
    *,
    next: _Wire | None = None,
    id: str | None = None,
) -> Output:
    """Hold weights (out×in) or a bias (out) that training changes.

    Starts from `value`, or from `shape` and `init`: zeros; constant (`value` is the number);
    uniform in `range`, which is −0.5 … 0.5 unless another is given; normal with mean 0 and
    variance 1; glorot (uniform up to √(6 / (in + out)), a bias starts at 0); naive_bayes (from
    class means and variances of the training data). Random starts follow from the seed and the
    node's id alone.

    Θ
    next? → value
    """

def pick(a: _Wire, *, index: int | Sequence[int] = 0, id: str | None = None) -> Any:
    """Take one feature of each sample, counted from 0, or a list of them.

    a[index]
    a → value
    """

def pick_blame(
    blame: _Wire,
    a: _Wire,
    *,
    index: int | Sequence[int] = 0,
    id: str | None = None,
) -> Any:
    """Give the picked features their blame, the others none.

    ∂C/∂a through pick
    blame, a → blame
    """

def plot(value: _Wire | Sequence[_Wire], *, id: str | None = None) -> Any:
    """Draw a value as a line while training runs.

    value over time
    value… →
    """

def power(a: _Wire, *, exponent: float = 2.0, id: str | None = None) -> Any:
    """Raise each number to a power.

    a^exponent
    a → value
    """

def relay(a: _Wire, *, id: str | None = None) -> Any:
    """Pass a value on as it is: a bend by which a wire is led around others.

    a
    a → value
    """

def relu(z: _Wire, *, id: str | None = None) -> Any:
    """Pass positive weighted sums, cut negative ones to 0.

    a = max(0, z)
    z → a
    """

def sigmoid(z: _Wire, *, id: str | None = None) -> Any:
    """Squash each weighted sum into 0 … 1.

    a = 1 / (1 + e^(−z))
    z → a
    """

def slider(
    value: float = 0.5,
    min: float = 0.0,
    max: float = 1.0,
    step: float = 0.01,
    *,
    id: str | None = None,
) -> Output:
    """Hold one number that is dragged between `min` and `max`.

    value
    → value
    """

def softmax(z: _Wire, *, id: str | None = None) -> Any:
    """Turn each row of weighted sums into shares that add up to 1.

    a = e^zⱼ / Σₖ e^zₖ
    z → a
    """

def softmax_binary_error(z: _Wire, y: _Wire, missed: _Wire, *, id: str | None = None) -> Any:
    """Give δ of softmax and (binary) cross-entropy at once; ȳ (`missed`) is 1 − y of an output.

    δₖ = aₖ Σ (y + ȳ) − yₖ − Σⱼ≠ₖ ȳⱼ aₖ / (1 − aⱼ)
    z, y, missed → delta
    """

def softmax_error(a: _Wire, y: _Wire, *, id: str | None = None) -> Any:
    """Give δ of softmax and categorical cross-entropy at once; a − y where y adds up to 1.

    Of a share above ½ the others are added up, a Σy − y = a (Σy − y) − y (1 − a): next to 1 they
    would be lost.

    δ = a Σy − y
    a, y → delta
    """

def softplus(z: _Wire, *, id: str | None = None) -> Any:
    """Bend smoothly from 0 to z.

    a = ln(1 + e^z)
    z → a
    """

def spread(blame: _Wire, a: _Wire, *, id: str | None = None) -> Any:
    """Give every feature of `a` the whole blame of their sum.

    bᵢ = b
    blame, a → blame
    """

def squared_error(a: _Wire, y: _Wire, *, half: bool = False, id: str | None = None) -> Any:
    """Add up the squared errors of a sample: C = Σ (a − y)², or half of it.

    C = Σ e²
    a, y → cost
    """

def step(
    parameter: _Wire,
    delta: _Wire,
    a: _Wire | Sequence[_Wire] | None = None,
    rate: _Wire | None = None,
    *,
    id: str | None = None,
) -> Any:
    """Gradient, average and update in one: Θ ← Θ − α Σ δaᵀ / n; `explode` shows the three.

    Without a wire into `a` the parameter is a bias, whose input is always 1: b ← b − α Σ δ / n.
    Without a wire into `rate` α is the one that the graph trains with. The feedback wire of
    `value` goes to `parameter.next`.

    Θ ← Θ − α δaᵀ/n
    parameter, delta, a…?, rate? → value
    """

def subtract(a: _Wire, b: _Wire, *, id: str | None = None) -> Any:
    """Take b from a, number by number.

    a − b
    a, b → value
    """

def sum(a: _Wire, *, id: str | None = None) -> Any:
    """Add up the features of each sample.

    Σ a
    a → value
    """

def table(value: _Wire | Sequence[_Wire], *, id: str | None = None) -> Any:
    """Show values as rows and columns.

    value as rows
    value… →
    """

def tanh(z: _Wire, *, id: str | None = None) -> Any:
    """Squash each weighted sum into −1 … 1.

    a = tanh(z)
    z → a
    """

def unroll(*values: _Wire | Sequence[_Wire], id: str | None = None) -> Any:
    """Write parameters or gradients below each other as one column, a row of a matrix at a time.

    Octave's Θ(:) goes column by column; NumPy and this node go row by row.

    θ = [Θ₁(:); Θ₂(:); …]
    values… → value
    """

def weight_gradient(delta: _Wire, a: _Wire | Sequence[_Wire], *, id: str | None = None) -> Any:
    """Multiply each δ by each input, summed over the samples: Δⱼᵢ = Σ δⱼ aᵢ.

    Δ = δaᵀ
    delta, a… → gradient
    """

def weight_update(
    parameter: _Wire,
    gradient: _Wire,
    rate: _Wire | None = None,
    *,
    id: str | None = None,
) -> Any:
    """Nudge a parameter against its gradient; its feedback wire goes to `parameter.next`.

    Without a wire the rate α is the one that the graph trains with.

    Θ ← Θ − αD
    parameter, gradient, rate? → value
    """

def weighted_sum(
    a: _Wire | Sequence[_Wire],
    weights: _Wire,
    bias: _Wire | None = None,
    *,
    id: str | None = None,
) -> Any:
    """Add up the inputs, each times its weight, and the bias: zⱼ = Σᵢ Θⱼᵢ aᵢ + bⱼ.

    a is n×in (several wires are joined), weights out×in, bias out; z is n×out.

    z = Θa + b
    a…, weights, bias? → z
    """

