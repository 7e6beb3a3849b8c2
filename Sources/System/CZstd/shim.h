#ifndef HYDRO_CZSTD_SHIM_H
#define HYDRO_CZSTD_SHIM_H
#include <zstd.h>
#include <zstd_errors.h>
#endif
