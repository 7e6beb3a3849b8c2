// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CNGHTTP2_SHIM_H
#define HYDRO_CNGHTTP2_SHIM_H
#include <nghttp2/nghttp2.h>
#endif
