// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CCRYPTO_SHIM_H
#define HYDRO_CCRYPTO_SHIM_H
#include <openssl/evp.h>
#endif
