#ifndef HYDRO_CCURL_SHIM_H
#define HYDRO_CCURL_SHIM_H
#include <curl/curl.h>
#endif
