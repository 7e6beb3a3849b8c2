# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Is the tumour malignant? Asked with 30 measurements of one biopsy."""

import pathlib

import joblib
import sklearn

_saved = joblib.load(pathlib.Path(__file__).with_name("model.joblib"))
_pipeline = _saved["pipeline"]

if _saved["scikit-learn"].split(".")[:2] != sklearn.__version__.split(".")[:2]:
    raise ImportError(f'model.joblib wants scikit-learn {_saved["scikit-learn"]}, found {sklearn.__version__}')


def predict(features):
    """The pipeline's verdict on one row, and how sure it is."""
    row = features.reshape(1, -1)
    return {"malignant": _pipeline.predict(row), "probability": _pipeline.predict_proba(row)[0, 1]}
