#ifndef HYDRO_CLINUX_SHIM_H
#define HYDRO_CLINUX_SHIM_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <netinet/tcp.h>
#endif
