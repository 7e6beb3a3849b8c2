#ifndef HYDRO_CZLIB_SHIM_H
#define HYDRO_CZLIB_SHIM_H
#include <zlib.h>
#endif
