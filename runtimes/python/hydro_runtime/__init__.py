# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors

"""Serves one Python model over gRPC: `python3 -m hydro_runtime`."""
