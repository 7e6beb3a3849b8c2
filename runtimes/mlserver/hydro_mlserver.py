# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""MLServer, started as Hydro's pods are: ports, model and name come from the environment.

MLServer's own variables (MLSERVER_...) and the model's settings.json say the rest.
"""

import os
import sys

from mlserver.repository import SchemalessModelRepository


class Repository(SchemalessModelRepository):
    """The one model of `/model/files`, under the name that the gateway asks for, whatever its settings call it."""

    async def list(self):
        found = await super().list()
        if len(found) != 1:
            sys.exit(f"hydro_mlserver: wanted one model-settings.json below {self._root}, found {len(found)}")
        found[0].name = os.environ["MODEL_NAME"]
        return found


def main():
    """Becomes `mlserver start`."""
    os.environ.setdefault("MLSERVER_GRPC_PORT", os.environ["APP_PORT"])
    os.environ.setdefault("MLSERVER_HTTP_PORT", os.environ["HEALTH_PORT"])
    os.environ.setdefault("MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION", "hydro_mlserver.Repository")
    sys.argv = ["mlserver", "start", os.environ.get("MODEL_DIR", "/model") + "/files"]
    from mlserver.cli import main as mlserver
    mlserver()


if __name__ == "__main__":
    main()
