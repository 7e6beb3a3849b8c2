// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CLINUX_SHIM_H
#define HYDRO_CLINUX_SHIM_H
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// Glibc shows these only under _GNU_SOURCE, which would change other headers as well.
extern int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
#endif
