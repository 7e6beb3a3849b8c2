#ifndef HYDRO_CCRYPTO_SHIM_H
#define HYDRO_CCRYPTO_SHIM_H
#include <openssl/evp.h>
#endif
