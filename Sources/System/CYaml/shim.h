// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CYAML_SHIM_H
#define HYDRO_CYAML_SHIM_H
#include <yaml.h>
#endif
