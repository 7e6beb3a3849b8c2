# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: the Hydro authors
"""Container images from Debian packages and files, without a build daemon.

`layer` makes deterministic layers, `registry` pushes what a registry lacks,
`recipes` says what each image is made of. Only the standard library is used.
"""
