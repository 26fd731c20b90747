"""The operations of the tape: numbers for the kernel, and the columns of a row.

Every operand is a place in the flat buffer: an offset, a row stride and a column stride (0 or
1, in a GRID any). A stride of 0 repeats a value: that is how one row, or one number, meets a
batch.
"""

from __future__ import annotations

# columns of a tape row
OP, ROWS, COLS, DST, DST_R, A, A_R, A_C, B, B_R, B_C, C, D, INNER, FLAG, DST_C = range(16)
WIDTH = 16
"""ROWS 0 means: as many as the pass has samples. DST_C is read by GRID alone."""

(
    PYTHON,
    LOAD,
    COPY,
    WEIGHTED_SUM,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    POWER,
    MAXIMUM,
    MINIMUM,
    SIGMOID,
    TANH,
    RELU,
    LEAKY_RELU,
    SOFTPLUS,
    EXP,
    LOG,
    SQRT,
    SIN,
    COS,
    ABS,
    SIGN,
    STEP,
    SOFTMAX,
    SUM,
    MEAN,
    SQUARED_ERROR,
    CROSS_ENTROPY,
    CATEGORICAL_CROSS_ENTROPY,
    CROSS_ENTROPY_BLAME,
    CATEGORICAL_CROSS_ENTROPY_BLAME,
    SOFTMAX_ERROR,
    PENALTY,
    ACCURACY,
    BLAME,
    DELTA_SIGMOID,
    DELTA_TANH,
    DELTA_RELU,
    DELTA_LEAKY_RELU,
    DELTA_SOFTPLUS,
    DELTA_SOFTMAX,
    WEIGHT_GRADIENT,
    BIAS_GRADIENT,
    ACCUMULATE,
    AVERAGE,
    UPDATE,
    UNPICK,
    MEAN_BLAME,
    TALLY,
    TALLY_HITS,
    STEP_WEIGHTS,
    STEP_MEAN,
    FLAT_ADD,
    FLAT_SUBTRACT,
    FLAT_MULTIPLY,
    FLAT_SIGMOID,
    FLAT_TANH,
    FLAT_RELU,
    FLAT_DELTA_SIGMOID,
    FLAT_DELTA_TANH,
    FLAT_DELTA_RELU,
    SCALE,
    ERROR_DELTA,
    GRID,
    CROSS_ENTROPY_LOGITS,
    SURPRISE,
    LOG_SOFTMAX,
    LOG_OTHERS,
    SOFTMAX_BINARY_ERROR,
) = range(70)

FLAT = {
    ADD: FLAT_ADD,
    SUBTRACT: FLAT_SUBTRACT,
    MULTIPLY: FLAT_MULTIPLY,
    SIGMOID: FLAT_SIGMOID,
    TANH: FLAT_TANH,
    RELU: FLAT_RELU,
    DELTA_SIGMOID: FLAT_DELTA_SIGMOID,
    DELTA_TANH: FLAT_DELTA_TANH,
    DELTA_RELU: FLAT_DELTA_RELU,
}
"""The same operations where all operands lie alike without gaps: one loop over all numbers."""

STATS = 8
"""What passes tally: sum of costs, hits, samples counted for cost, for hits; the second half
for rows that are only judged."""
