# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Compares the gateway's answers over HTTP and gRPC with scikit-learn's own.

    python3 examples/tumour/check.py --http http://127.0.0.1:9090 --grpc 127.0.0.1:9091 --application tumour

Each of the 50 rows is asked over both; each answer must be what one of the
versions says (--version v1: that one). Says how many answers were whose, and ends with 1 if
any was nobody's.
"""

import argparse
import collections
import json
import math
import pathlib
import sys
import urllib.request

from predict import Predictor

_requests = pathlib.Path(__file__).parent / "requests"


def whose(answer, row, expected):
    """The versions that give this answer to this row."""
    return [
        version for version, given in expected.items()
        if answer["malignant"] == given["malignant"][row]
        and math.isclose(answer["probability"], given["probability"][row], rel_tol=1e-9, abs_tol=1e-12)
    ]


def over_http(address, application, namespace):
    """A function from a row to its answer."""
    prefix = f"/namespaces/{namespace}" if namespace else ""
    url = f"{address.rstrip('/')}{prefix}/gateway/application/{application}"

    # A gateway is near; a proxy for the wide world would only be in the way.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def predict(row):
        body = json.dumps({"features": row}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)

    return predict


def main():
    """Asks, compares, counts."""
    arguments = argparse.ArgumentParser(description="compare the gateway's answers with scikit-learn's own")
    arguments.add_argument("--http", default="http://127.0.0.1:9090", help="the gateway's HTTP address")
    arguments.add_argument("--grpc", default="127.0.0.1:9091", help="host:port of the gateway's gRPC")
    arguments.add_argument("--application", default="tumour")
    arguments.add_argument("--namespace", help="where the application is, if not in the default namespace")
    arguments.add_argument("--version", choices=["v1", "v2"], help="accept only this version's answers")
    options = arguments.parse_args()

    rows = json.loads((_requests / "rows.json").read_text())
    expected = json.loads((_requests / "expected.json").read_text())
    versions = {name: expected[name] for name in ([options.version] if options.version else ["v1", "v2"])}
    ways = {
        "HTTP": over_http(options.http, options.application, options.namespace),
        "gRPC": Predictor(options.grpc, options.application, options.namespace).predict,
    }
    wrong = 0
    for way, predict in ways.items():
        counts = collections.Counter()
        for number, row in enumerate(rows):
            answer = predict(row)
            owners = whose(answer, number, versions)
            counts.update(owners)
            if not owners:
                wrong += 1
                wanted = [{field: given[field][number] for field in answer if field in given} for given in versions.values()]
                print(f"{way}: row {number} wants one of {wanted}, got {answer}", file=sys.stderr)
        shares = ", ".join(f"{count} by {version}" for version, count in sorted(counts.items()))
        print(f"{way}: {sum(counts.values())} of {len(rows)} answers equal scikit-learn's own ({shares or 'none'})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
