"""Writes cases.json: small networks, most of one operator, with float64 values of the reference evaluator of ONNX.

    pip install numpy onnx && python make.py

For each case a state x and a direction v are drawn; `out` is the network at x, `jvp` its derivative along v from
five-point differences of the reference. Where a network has other than as many outputs as inputs, a weighted sum of
pieces of the output is taken, so that every case is a field.
"""

import base64
import itertools
import json
import math
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.ops import op_average_pool, op_conv_transpose, op_erf

RNG = np.random.default_rng(20260)
CASES = []


# The error function of the reference rounds to float32.
op_erf.Erf._run = lambda self, x: (np.vectorize(math.erf)(x).astype(x.dtype),)


def by_group(plain):
    """The reference errs where a group has several outputs: each group is one of its own."""

    def run(self, X, W, B=None, group=None, **attributes):
        parts = [
            plain(self, x, w, group=1, **attributes)[0]
            for x, w in zip(np.split(X, group or 1, axis=1), np.split(W, group or 1, axis=0))
        ]
        result = np.concatenate(parts, axis=1)
        return (result if B is None else result + B.reshape(-1, *[1] * (X.ndim - 2)),)

    return run


op_conv_transpose.ConvTranspose._run = by_group(op_conv_transpose.ConvTranspose._run)


def average_pool(self, x, auto_pad=None, ceil_mode=0, count_include_pad=0, dilations=None, kernel_shape=None, pads=None, strides=None):
    """The reference takes pads in another order than the standard: window by window, as the standard says."""
    axes = len(kernel_shape)
    pads, strides = pads or [0] * 2 * axes, strides or [1] * axes
    padded = np.pad(x, [(0, 0), (0, 0), *zip(pads[:axes], pads[axes:])], constant_values=np.nan)
    lengths = []
    for i, k in enumerate(kernel_shape):
        room = padded.shape[2 + i] - k
        n = room // strides[i] + 1
        if ceil_mode and room % strides[i] and n * strides[i] < x.shape[2 + i] + pads[i]:
            n += 1
        lengths.append(n)
    y = np.empty([*x.shape[:2], *lengths])
    for at in itertools.product(*map(range, lengths)):
        window = padded[(..., *(slice(i * s, i * s + k) for i, s, k in zip(at, strides, kernel_shape)))]
        over = tuple(range(2, 2 + axes))
        y[(..., *at)] = np.nansum(window, over) / window[0, 0].size if count_include_pad else np.nanmean(window, over)
    return (y,)


for version in (op_average_pool.AveragePool_11, op_average_pool.AveragePool_19):
    version._run = average_pool


def draw(*shape):
    return np.round(RNG.normal(size=shape), 3)


def tail(nodes, constants, outputs, lengths, dim):
    """Flattens all outputs and sums weighted pieces of length `dim`."""
    flat = []
    for i, name in enumerate(outputs):
        nodes.append(helper.make_node("Reshape", [name, "all"], [f"flat{i}"]))
        flat.append(f"flat{i}")
    constants["all"] = np.array([-1])
    total = sum(lengths)
    pieces = -(-total // dim)
    if pieces * dim > total:
        constants["zeros"] = np.zeros(pieces * dim - total)
        flat.append("zeros")
    nodes.append(helper.make_node("Concat", flat, ["joined"], axis=0))
    constants["rows"] = np.array([pieces, dim])
    nodes.append(helper.make_node("Reshape", ["joined", "rows"], ["pieces"]))
    constants["weights"] = np.round(1 + 0.5 * np.sin(1 + np.arange(pieces)), 3).reshape(1, pieces)
    nodes.append(helper.make_node("MatMul", ["weights", "pieces"], ["out"]))


def model(nodes, constants, shape, opset, outputs):
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, shape)],
        [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in outputs],
        [
            array if isinstance(array, onnx.TensorProto) else numpy_helper.from_array(np.asarray(array), name)
            for name, array in constants.items()
        ],
    )
    for value in graph.output:
        value.type.tensor_type.shape.SetInParent()
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def network(name, nodes, constants, shape, outputs=("y",), opset=20, x=None, tolerance=1e-12, positive=False):
    """One case; `nodes` write `outputs` from x and constants."""
    constants = dict(constants)
    probe = ReferenceEvaluator(model(list(nodes), constants, shape, opset, outputs))
    for attempt in range(50):
        point = np.array(x) if x is not None else draw(*shape)
        if positive:
            point = np.abs(point) + 0.2
        v = draw(*shape)
        lengths = [value.size for value in probe.run(None, {"x": point})]
        full_nodes, full_constants = list(nodes), dict(constants)
        tail(full_nodes, full_constants, outputs, lengths, point.size)
        full = model(full_nodes, full_constants, shape, opset, ["out"])
        reference = ReferenceEvaluator(full)

        def run(at):
            result = reference.run(None, {"x": at})[0]
            assert result.dtype == np.float64, (name, result.dtype)
            return result.ravel()

        def slope(h):
            near, far = run(point + h * v) - run(point - h * v), run(point + 2 * h * v) - run(point - 2 * h * v)
            return (8 * near - far) / (12 * h)

        jvp, finer = slope(2e-3), slope(1e-3)
        if np.abs(jvp - finer).max() <= 1e-8 * (1 + np.abs(jvp).max()):
            break
    else:
        raise SystemExit(f"{name}: no point away from kinks")
    CASES.append({
        "name": name,
        "model": base64.b64encode(full.SerializeToString()).decode(),
        "x": point.ravel().tolist(),
        "v": v.ravel().tolist(),
        "out": run(point).tolist(),
        "jvp": finer.tolist(),
        "tolerance": tolerance,
    })


def op(kind, shape, *inputs, label="", outputs=1, opset=20, tolerance=1e-12, positive=False, x=None, **attributes):
    """One node: inputs are "x", "" or arrays."""
    names, constants = [], {}
    for i, value in enumerate(inputs or ("x",)):
        if isinstance(value, str):
            names.append(value)
        else:
            constants[f"c{i}"] = value
            names.append(f"c{i}")
    written = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(kind, names, written, **attributes)
    name = f"{kind} {label}".strip()
    network(name, [node], constants, shape, written, opset, x, tolerance, positive)


# Functions of one number, with the tails that matter.
wide = [[-30.0, -4.0, -1.3, -0.2, 0.3, 0.9, 2.5, 5.0, 40.0]]
for kind in ["Neg", "Sin", "Cos", "Tanh", "Sigmoid", "Erf", "Softplus", "Mish", "Abs", "Relu", "Selu", "Elu", "Exp"]:
    op(kind, [1, 9], x=wide if kind not in ["Exp"] else None)
for kind in ["Sqrt", "Log", "Reciprocal"]:
    op(kind, [1, 5], positive=True)
op("LeakyRelu", [1, 6])
op("LeakyRelu", [1, 6], label="alpha", alpha=0.25)
op("Elu", [1, 6], label="alpha", alpha=0.5)
op("Selu", [1, 6], label="parameters", alpha=1.5, gamma=1.25)
op("Celu", [1, 6], label="alpha", alpha=0.5)
op("Gelu", [1, 9], x=wide)
op("Gelu", [1, 7], label="tanh", approximate="tanh", tolerance=1e-7)  # constants of the reference are float32
op("Swish", [1, 7], opset=24, alpha=1.5)
op("Clip", [1, 8], "x", np.array(-0.5), np.array(0.75))
op("Clip", [1, 8], "x", "", np.array(0.25), label="above only")
op("Identity", [1, 3])
op("PRelu", [1, 3, 2], "x", draw(3, 1))

# Functions of two, broadcast both ways.
for kind in ["Add", "Sub", "Mul", "Div"]:
    op(kind, [1, 2, 3], "x", np.abs(draw(2, 1)) + 0.5, label="a column")
    op(kind, [1, 2, 3], np.abs(draw(4, 1, 3)) + 0.5, "x", label="a larger left side", positive=True)
    op(kind, [1, 5], "x", "x", label="itself", positive=True)
op("Pow", [1, 4], "x", np.array(2.0), label="square")
op("Pow", [1, 4], "x", np.array(3.0), label="cube")
op("Pow", [1, 4], "x", np.array(-1.5), label="negative", positive=True)
op("Pow", [1, 4], "x", np.array(0.5), label="root", positive=True)
op("Pow", [1, 4], "x", np.array([[0.5], [2.0], [-1.0]]), label="broadcast", positive=True)
op("Pow", [1, 4], "x", "x", label="itself", positive=True)
op("Pow", [1, 4], np.array(2.0), "x", label="of a constant")
for kind in ["Max", "Min", "Sum"]:
    op(kind, [1, 2, 3], "x", draw(3), draw(2, 1))
for kind in ["Greater", "Less", "GreaterOrEqual", "LessOrEqual"]:
    network(
        f"{kind} into Where",
        [
            helper.make_node(kind, ["x", "c"], ["b"]),
            helper.make_node("Sin", ["x"], ["s"]),
            helper.make_node("Where", ["b", "s", "d"], ["y"]),
        ],
        {"c": draw(2, 1), "d": draw(3)},
        [1, 2, 3],
    )
op("Where", [1, 2, 3], np.array([[True, False, True]]), "x", np.array(0.5), label="a known condition")
network(
    "Greater cast to numbers",
    [
        helper.make_node("Greater", ["x", "c"], ["b"]),
        helper.make_node("Cast", ["b"], ["n"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["n", "x"], ["y"]),
    ],
    {"c": np.array(0.1)},
    [1, 6],
)

# Matrix products.
op("Gemm", [1, 4], "x", draw(4, 3), draw(3))
op("Gemm", [1, 4], "x", draw(3, 4), draw(1, 1), label="transposed, scaled", transB=1, alpha=0.5, beta=2.0)
op("Gemm", [3, 2], "x", draw(5, 3), label="transA", transA=1, transB=1)
op("Gemm", [2, 3], draw(4, 2), "x", draw(4, 3), label="constant left")
op("Gemm", [2, 3], draw(2, 4), "x", draw(4, 1), label="constant left, transposed", transA=1)
op("Gemm", [3, 3], "x", "x", draw(3), label="square of a matrix")
op("MatMul", [1, 2, 3], "x", draw(3, 4))
op("MatMul", [1, 2, 3], draw(4, 2), "x", label="constant left")
op("MatMul", [1, 2, 3], "x", draw(5, 3, 4), label="a batch of constants")
op("MatMul", [2, 2, 3], "x", draw(2, 3, 2), label="a batch each")
op("MatMul", [2, 2, 3], draw(2, 3, 2), "x", label="a batch each, constant left")
op("MatMul", [1, 2, 3, 3], "x", "x", label="both vary")
op("MatMul", [1, 5], "x", draw(5), label="by a vector")
op("MatMul", [2, 5], draw(2), "x", label="a vector by")
op("MatMul", [4], "x", "x", label="two vectors")
op("MatMul", [2, 3], draw(4, 1, 2, 2), "x", label="broadcast")
network(
    "MatMul with its transpose",
    [helper.make_node("Transpose", ["x"], ["z"], perm=[0, 2, 1]), helper.make_node("MatMul", ["x", "z"], ["y"])],
    {},
    [2, 2, 3],
)
for equation, shape, *others in [
    ("bij,jk->bik", [1, 2, 3], draw(3, 4)),
    ("bij,bkj->bik", [2, 2, 3], draw(2, 4, 3)),
    ("ij,jk", [2, 3], draw(3, 4)),
    ("i,j->ji", [3], draw(4)),
    ("bhqd,bhkd->bhqk", [1, 2, 3, 2], "x"),
    ("ij->ji", [2, 3]),
    ("ij->i", [2, 3]),
    ("ii->i", [3, 3]),
    ("ii", [3, 3]),
    ("bijc,bjkc->bikc", [1, 2, 3, 2], draw(1, 3, 4, 2)),
    ("ij,kl->j", [2, 3], draw(2, 2)),
]:
    op("Einsum", shape, "x", *others, label=equation, equation=equation)

# Moving entries.
op("Reshape", [1, 2, 6], "x", np.array([0, -1, 3]))
op("Flatten", [1, 2, 3], label="axis -1", axis=-1)
op("Transpose", [1, 2, 3])
op("Transpose", [1, 2, 3], label="perm", perm=[1, 2, 0])
op("Concat", [1, 2, 3], "x", draw(1, 2, 2), "x", label="axis -1", axis=-1)
op("Concat", [1, 2, 3], draw(2, 2, 3), "x", label="axis 0", axis=0)
op("Concat", [2, 2, 3], "x", draw(2, 1, 3), label="axis 1", axis=1)
op("Unsqueeze", [1, 3], "x", np.array([-1, 0]))
op("Squeeze", [1, 3, 1], "x", np.array([-1]))
op("Squeeze", [1, 3, 1], label="all")
op("Expand", [1, 3, 1], "x", np.array([2, 1, 2]))
op("Tile", [1, 3], "x", np.array([2, 3]))
op("Slice", [1, 5], "x", np.array([1]), np.array([4]), np.array([-1]))
op("Slice", [1, 5, 4], "x", np.array([-1, 3]), np.array([-9, 0]), np.array([1, 2]), np.array([-2, -1]), label="backwards")
op("Slice", [1, 7], "x", np.array([0]), np.array([2**63 - 1]), np.array([1]), np.array([3]), label="to the end")
op("Slice", [1, 7], "x", np.array([5]), np.array([-(2**63)]), np.array([1]), np.array([-2]), label="to the beginning")
op("Split", [1, 6, 2], "x", np.array([1, 3, 2]), label="sizes", outputs=3, axis=1)
op("Split", [1, 7], "x", label="uneven", outputs=3, num_outputs=3, axis=-1)
op("Split", [1, 6], "x", label="equal", outputs=2, axis=1, opset=13)
op("Gather", [1, 4, 2], "x", np.array([[0, -1], [2, 2]]), label="axis 1", axis=1)
op("Gather", [1, 4, 2], "x", np.array(1), label="a number", axis=-1)
op("Pad", [1, 2, 3], "x", np.array([0, 1, 2, 0, 0, 1]))
op("Pad", [1, 2, 3], "x", np.array([0, 1, 2, 0, 0, 1]), np.array(0.5), label="a number")
op("Pad", [1, 5], "x", np.array([1, 2]), "", np.array([-1]), label="axes")
op("Pad", [1, 4], "x", np.array([0, 3, 0, 2]), label="reflect", mode="reflect")
op("Pad", [1, 4], "x", np.array([0, 3, 0, 2]), label="edge", mode="edge")
op("Pad", [1, 4], "x", np.array([0, 3, 0, 2]), label="wrap", mode="wrap")
network(
    "Shape arithmetic",
    [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "one"], ["n"], axis=0),
        helper.make_node("Div", ["n", "two"], ["half"]),
        helper.make_node("Shape", ["x"], ["end"], start=-1),
        helper.make_node("Concat", ["minus", "half", "end"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["z"]),
        helper.make_node("ConstantOfShape", ["half"], ["ones"], value=numpy_helper.from_array(np.array([1.5]))),
        helper.make_node("Range", ["zero", "four", "step"], ["r"]),
        helper.make_node("Cast", ["r"], ["rf"], to=TensorProto.DOUBLE),
        helper.make_node("Slice", ["rf", "begin", "half"], ["rs"]),
        helper.make_node("Unsqueeze", ["ones", "one"], ["column"]),
        helper.make_node("Mul", ["z", "column"], ["zz"]),
        helper.make_node("Unsqueeze", ["rs", "one"], ["rc"]),
        helper.make_node("Add", ["zz", "rc"], ["y"]),
    ],
    {
        "one": np.array([1]), "two": np.array([2]), "minus": np.array([-1]), "zero": np.array(0), "four": np.array(4),
        "step": np.array(1), "begin": np.array([0]),
    },
    [1, 6, 2],
)

network(
    "Constant in every form",
    [
        helper.make_node("Constant", [], ["a"], value=numpy_helper.from_array(draw(2, 1))),
        helper.make_node("Constant", [], ["b"], value_ints=[1, 2]),
        helper.make_node("Cast", ["b"], ["bf"], to=TensorProto.DOUBLE),
        helper.make_node("Constant", [], ["c"], value_float=0.5),
        helper.make_node("Cast", ["c"], ["cf"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["x", "a"], ["p"]),
        helper.make_node("Add", ["p", "bf"], ["q"]),
        helper.make_node("Mul", ["q", "cf"], ["y"]),
    ],
    {},
    [1, 2, 2],
)

# Weights of every type, as bytes and as lists of numbers.
for kind in ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "UINT8", "INT16", "UINT16", "INT32", "INT64", "UINT32", "UINT64", "BOOL"]:
    number = getattr(TensorProto, kind)
    listed = helper.make_tensor("listed", number, [2], [0, 1] if kind == "BOOL" else [3, 5])
    values = numpy_helper.to_array(listed)
    raw = helper.make_tensor("raw", number, [2], values.tobytes(), raw=True)
    network(
        f"Cast of {kind}",
        [
            helper.make_node("Cast", ["listed"], ["a"], to=TensorProto.DOUBLE),
            helper.make_node("Cast", ["raw"], ["b"], to=TensorProto.DOUBLE),
            helper.make_node("Mul", ["x", "a"], ["p"]),
            helper.make_node("Add", ["p", "b"], ["y"]),
        ],
        {"listed": listed, "raw": raw},
        [1, 2],
    )

# Reductions.
for kind in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"]:
    op(kind, [1, 3, 4], "x", np.array([-1]), label="axis -1", opset=20)
    op(kind, [2, 3, 2], "x", np.array([0, 2]), label="two axes, not kept", keepdims=0, opset=20)
    op(kind, [1, 5], "x", label="all", opset=20)
op("ReduceSum", [1, 4], "x", np.array([], dtype=np.int64), label="of no axes", noop_with_empty_axes=1)
op("ReduceMean", [1, 3, 4], label="axes as an attribute", axes=[1], opset=17)
op("ReduceL2", [1, 3, 4], label="axes as an attribute", axes=[-2], opset=13)
op("ReduceMax", [1, 3, 4], label="axes as an attribute", axes=[2], opset=17)
op("Softmax", [1, 3, 4])
op("Softmax", [1, 3, 4], label="axis 1", axis=1)
op("LogSoftmax", [1, 3, 4])
op("Softmax", [1, 3], x=[[800.0, 799.0, -800.0]], label="large")

# Normalisations; the reference computes in the type of x where it is not a function of other operators.
op("LayerNormalization", [1, 3, 4], "x", draw(4), draw(4))
op("LayerNormalization", [1, 3, 4], "x", draw(3, 4), label="axis 1, no shift", axis=1, epsilon=0.01)
op("LayerNormalization", [1, 3, 4], "x", draw(4), draw(4), label="all outputs", outputs=3)
op("RMSNormalization", [1, 3, 4], "x", draw(4), opset=23)
op("RMSNormalization", [1, 3, 4], "x", draw(3, 4), opset=23, label="axis -2", axis=-2)
op("InstanceNormalization", [1, 2, 5], "x", draw(2), draw(2))
op("InstanceNormalization", [1, 2, 2, 3], "x", draw(2), draw(2), label="two axes", epsilon=0.1)
op("GroupNormalization", [1, 4, 3], "x", draw(4), draw(4), num_groups=2, opset=21, stash_type=11)
op("GroupNormalization", [1, 4, 3], "x", draw(2), draw(2), label="one scale a group", num_groups=2, opset=18)
op("BatchNormalization", [1, 3, 2], "x", draw(3), draw(3), draw(3), np.abs(draw(3)) + 0.3)

# Convolutions and pools.
for kind, dims in [("Conv", 1), ("Conv", 2), ("Conv", 3)]:
    sizes = [5, 4, 3][:dims]
    op(kind, [1, 2, *sizes], "x", draw(3, 2, *[2] * dims), draw(3), label=f"{dims}-dimensional")
op("Conv", [1, 2, 5, 6], "x", draw(4, 1, 3, 3), draw(4), label="groups, strides, pads", group=2, strides=[2, 1], pads=[1, 0, 1, 2])
op("Conv", [1, 3, 4, 4], "x", draw(3, 1, 3, 3), label="depthwise", group=3, pads=[1, 1, 1, 1])
op("Conv", [1, 2, 6, 5], "x", draw(1, 2, 2, 2), label="dilated", dilations=[2, 1])
op("Conv", [2, 2, 4], "x", draw(3, 2, 3), label="two states", pads=[1, 1])
op("Conv", [2, 4, 3], "x", draw(2, 2, 1), label="two states, groups", group=2)
op("Conv", [1, 1, 5, 4], "x", draw(2, 1, 3, 2), label="same upper", auto_pad="SAME_UPPER", strides=[2, 2])
op("Conv", [1, 1, 5, 4], "x", draw(2, 1, 2, 3), label="same lower", auto_pad="SAME_LOWER")
op("Conv", [1, 3, 2, 2], "x", draw(2, 3, 1, 1), label="pointwise")
op("ConvTranspose", [1, 2, 3], "x", draw(2, 3, 3), draw(3))
op("ConvTranspose", [1, 2, 3, 2], "x", draw(2, 2, 2, 3), label="strides", strides=[2, 2])
op("ConvTranspose", [1, 2, 3, 3], "x", draw(2, 1, 3, 3), draw(1), label="padding", strides=[2, 2], pads=[1, 1, 1, 0], output_padding=[1, 0])
op("ConvTranspose", [1, 4, 3], "x", draw(4, 2, 2), label="groups", group=2)
op("ConvTranspose", [1, 1, 3], "x", draw(1, 2, 2), label="dilated", dilations=[2])
op("AveragePool", [1, 2, 4, 4], kernel_shape=[2, 2], strides=[2, 2])
op("AveragePool", [1, 1, 5, 4], label="pads", kernel_shape=[3, 2], pads=[1, 1, 1, 0])
op("AveragePool", [1, 1, 5, 4], label="pads count", kernel_shape=[3, 2], pads=[1, 1, 1, 0], count_include_pad=1)
op("AveragePool", [1, 2, 6], label="rounded up", kernel_shape=[3], strides=[2], ceil_mode=1)
op("AveragePool", [1, 2, 4], label="rounded up, pads count", kernel_shape=[3], strides=[2], pads=[1, 0], ceil_mode=1, count_include_pad=1)
op("GlobalAveragePool", [1, 2, 3, 2])
op("MaxPool", [1, 1, 4, 4], kernel_shape=[2, 2], strides=[2, 2])

# Resizing.
up, odd = np.array([1, 1, 2, 2], dtype=np.float32), np.array([1, 1, 1.6, 0.75], dtype=np.float32)
for scales, which in [(up, "twice"), (odd, "odd")]:
    for coordinates in ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]:
        # With corners aligned, the reference takes the new length before rounding; the standard and onnxruntime do not.
        by = ("x", "", "", np.floor(scales * [1, 1, 3, 4] + 1e-6).astype(int)) if coordinates == "align_corners" else ("x", "", scales)
        for mode in ["linear", "nearest"]:
            op("Resize", [1, 1, 3, 4], *by, label=f"{mode}, {which}, {coordinates}", mode=mode,
               coordinate_transformation_mode=coordinates)
    for rounding in ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]:
        op("Resize", [1, 1, 3, 4], "x", "", scales, label=f"nearest, {which}, {rounding}", mode="nearest",
           nearest_mode=rounding, coordinate_transformation_mode="asymmetric")
op("Resize", [1, 2, 3], "x", "", "", np.array([1, 2, 5]), label="sizes", mode="linear")
op("Resize", [1, 2, 3], "x", "", "", np.array([7]), label="axes", mode="linear", axes=[2])

# Attention of opset 23.
q4, kv4 = draw(1, 2, 3, 4), draw(1, 2, 5, 4)
op("Attention", [1, 2, 3, 4], "x", "x", "x", opset=23, label="of itself")
op("Attention", [1, 2, 3, 4], "x", kv4, draw(1, 2, 5, 3), opset=23, label="to constants", scale=0.25)
op("Attention", [1, 2, 5, 4], q4, "x", "x", draw(3, 5), opset=23, label="a mask of numbers")
op("Attention", [1, 2, 3, 4], "x", "x", "x", np.tril(np.ones((3, 3), dtype=bool)), opset=23, label="a mask of truths")
op("Attention", [1, 2, 3, 4], "x", "x", "x", opset=23, label="causal", is_causal=1)
op("Attention", [1, 3, 8], "x", "x", "x", opset=23, label="three axes", q_num_heads=2, kv_num_heads=2)
op("Attention", [1, 3, 8], "x", draw(1, 5, 4), draw(1, 5, 4), opset=23, label="shared keys", q_num_heads=4, kv_num_heads=2)
op("Attention", [1, 2, 3, 4], "x", "x", "x", opset=23, label="softcap", softcap=2.0)

out = pathlib.Path(__file__).with_name("cases.json")
out.write_text("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")
print(len(CASES), "cases,", out.stat().st_size, "bytes")
