"""Writes the arrays of NAME.golden_f64.npz as NAME.golden.json: {array: {"shape": […], "data": […]}}.

    python golden.py FOLDER/*.golden_f64.npz [--to FOLDER]
"""

import argparse
import json
import pathlib

import numpy

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("files", nargs="+", type=pathlib.Path)
parser.add_argument("--to", type=pathlib.Path)
arguments = parser.parse_args()
for file in arguments.files:
    arrays = {
        name: {"shape": list(array.shape), "data": array.astype(float).ravel().tolist()}
        for name, array in numpy.load(file).items()
    }
    name = file.name.replace(".golden_f64.npz", ".golden.json")
    ((arguments.to or file.parent) / name).write_text(json.dumps(arrays) + "\n")
