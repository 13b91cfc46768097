"""Prints the inputs that together reach most beyond those that are kept anyway: choose-inputs.py CONTROL-FILE COUNT KEPT-FOLDER.

Reads the control file of libFuzzer's merge: the number of files, of files done before, their paths; then lines FT with the features of one.
"""

import os
import sys


def features(path):
    with open(path) as control:
        count = int(control.readline())
        control.readline()
        paths = [control.readline().rstrip("\n") for _ in range(count)]
        reached = {}
        for line in control:
            words = line.split()
            if words[:1] == ["FT"]:
                reached[paths[int(words[1])]] = set(words[2:])
    return reached


def main(control, count, kept):
    reached = features(control)
    covered = set()
    for path in [path for path in reached if os.path.dirname(path) == kept]:
        covered |= reached.pop(path)
    while count > 0 and reached:
        best = max(reached, key=lambda path: (len(reached[path] - covered), -os.path.getsize(path), path))
        if not reached[best] - covered:
            break
        print(best)
        covered |= reached.pop(best)
        count -= 1


main(sys.argv[1], int(sys.argv[2]), sys.argv[3].rstrip("/"))
