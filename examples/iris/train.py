# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Trains the iris model, and says what it must answer.

    python3 examples/iris/train.py

The data are the 150 flowers of four measurements that scikit-learn ships. To be run with the scikit-learn of
runtimes/mlserver/requirements.txt, since a pipeline is stored as pickled by that version.
"""

import json
import pathlib

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = pathlib.Path(__file__).parent


def main():
    """Writes files/model.joblib and requests.json."""
    data = load_iris()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    joblib.dump(pipeline, folder / "files" / "model.joblib", compress=9)
    rows = data.data[::5]
    expected = {"predict": pipeline.predict(rows).tolist(), "predict_proba": pipeline.predict_proba(rows).tolist()}
    (folder / "requests.json").write_text(json.dumps({"features": rows.tolist(), **expected}).replace("], [", "],\n [") + "\n")


if __name__ == "__main__":
    main()
