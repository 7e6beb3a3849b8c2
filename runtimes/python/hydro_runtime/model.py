# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""The model's code: where it lies, how it is loaded, how it is called."""

import importlib
import sys

from .contract import Contract
from .tensors import Mismatch

_module = "func_main"


class Model:
    """A loaded model: one function and its contract."""

    def __init__(self, contract, function):
        self.contract = contract
        self._function = function

    @staticmethod
    def load(directory):
        """Imports the model's module and finds its function; whatever the import raises comes through."""
        contract = Contract.load(directory / "contract.protobin")
        files = directory / "files"
        for path in (directory, files / "src", files / "src" / "lib", files):
            if str(path) not in sys.path:
                sys.path.append(str(path))
        importlib.invalidate_caches()
        module = importlib.import_module(_module)
        function = getattr(module, contract.name, None)
        if not callable(function):
            raise Mismatch(f'wants a function "{contract.name}" in {module.__file__}, found {_functions(module)}')
        return Model(contract, function)

    def call(self, arguments):
        """What the function returns for keyword `arguments`."""
        return self._function(**arguments)


def _functions(module):
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    return ", ".join(f'"{name}"' for name in sorted(names)) or "no function"
