# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Trains both versions of the tumour model, and says what they must answer.

    /usr/bin/python3 examples/tumour/train.py

The data are the 569 biopsies of 30 measurements that scikit-learn ships. 50
of them are kept out of the training; they are the requests. To be run with
the scikit-learn that the runtime image has (Debian 12: python3-sklearn),
since a pipeline is stored as pickled by that version.
"""

import json
import pathlib

import joblib
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = pathlib.Path(__file__).parent

versions = {
    "v1": make_pipeline(StandardScaler(), LogisticRegression()),
    "v2": make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=60, max_depth=2, random_state=7)),
}


def main():
    """Writes v1/model.joblib, v2/model.joblib and requests/."""
    data = load_breast_cancer()
    malignant = (data.target == list(data.target_names).index("malignant")).astype(int)
    features, rows, truth, kept = train_test_split(
        data.data, malignant, test_size=50, random_state=6, stratify=malignant)

    expected = {"scikit-learn": sklearn.__version__}
    for name, pipeline in versions.items():
        pipeline.fit(features, truth)
        joblib.dump({"scikit-learn": sklearn.__version__, "pipeline": pipeline}, folder / name / "model.joblib", compress=9)
        expected[name] = answers(pipeline, rows)
        print(f"{name}: {pipeline.score(rows, kept):.0%} of {len(rows)} right, {(folder / name / 'model.joblib').stat().st_size} bytes")

    write("rows.json", rows.tolist())
    write("expected.json", expected)
    (folder / "requests" / "one.json").write_text(json.dumps({"features": rows[0].tolist()}) + "\n")


def answers(pipeline, rows):
    """What the pipeline itself says to each row."""
    return {"malignant": pipeline.predict(rows).tolist(), "probability": pipeline.predict_proba(rows)[:, 1].tolist()}


def write(name, content):
    """JSON with one row a line."""
    (folder / "requests" / name).write_text(json.dumps(content).replace("], [", "],\n [").replace("}, \"", "},\n \"") + "\n")


if __name__ == "__main__":
    main()
