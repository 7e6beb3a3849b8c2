#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Sums the JUnit reports in a folder, and says so in one plain line.

  tally [--failed-suites N] FOLDER

Ends with 1 where a test failed, where a suite failed without saying which test
(it is counted as one), and where no test ran at all.
"""
import argparse
import glob
import os
import sys
import xml.etree.ElementTree as xml


def tally(folder, failed_suites=0):
    """(passed, failed, skipped) over all reports."""
    total = failed = skipped = suites_with_failures = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.xml"))):
        cases = list(xml.parse(path).getroot().iter("testcase"))
        bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
        total, failed = total + len(cases), failed + bad
        skipped += sum(1 for case in cases if case.find("skipped") is not None)
        suites_with_failures += 1 if bad else 0
    passed = total - failed - skipped
    return passed, failed + max(0, failed_suites - suites_with_failures), skipped


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--failed-suites", type=int, default=0)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    passed, failed, skipped = tally(arguments.folder, arguments.failed_suites)
    if passed + failed == 0:
        print("no test ran")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
