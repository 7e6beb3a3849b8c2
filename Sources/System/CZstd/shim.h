// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CZSTD_SHIM_H
#define HYDRO_CZSTD_SHIM_H
#include <zstd.h>
#include <zstd_errors.h>
#endif
