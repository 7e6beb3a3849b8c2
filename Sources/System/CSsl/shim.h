// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CSSL_SHIM_H
#define HYDRO_CSSL_SHIM_H
#include <openssl/ssl.h>
#include <openssl/err.h>
#endif
