#ifndef HYDRO_CYAML_SHIM_H
#define HYDRO_CYAML_SHIM_H
#include <yaml.h>
#endif
