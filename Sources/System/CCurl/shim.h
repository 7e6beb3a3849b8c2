// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

#ifndef HYDRO_CCURL_SHIM_H
#define HYDRO_CCURL_SHIM_H
#include <curl/curl.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift does not import: one typed
// wrapper for each kind of argument. The type-checking macros want a literal option, so they go first.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode ccurl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

typedef size_t (*ccurl_data_callback)(char *, size_t, size_t, void *);
typedef int (*ccurl_seek_callback)(void *, curl_off_t, int);
typedef int (*ccurl_socket_callback)(void *, curl_socket_t, curlsocktype);

static inline CURLcode ccurl_on_write(CURL *handle, ccurl_data_callback call, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, call);
    return code ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
}
static inline CURLcode ccurl_on_header(CURL *handle, ccurl_data_callback call, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, call);
    return code ? code : curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
}
static inline CURLcode ccurl_on_read(CURL *handle, ccurl_data_callback call, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, call);
    return code ? code : curl_easy_setopt(handle, CURLOPT_READDATA, context);
}
static inline CURLcode ccurl_on_seek(CURL *handle, ccurl_seek_callback call, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, call);
    return code ? code : curl_easy_setopt(handle, CURLOPT_SEEKDATA, context);
}
static inline CURLcode ccurl_on_socket(CURL *handle, ccurl_socket_callback call) {
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, call);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

// Swift's Glibc hides it: it needs _GNU_SOURCE, which must not be defined here.
extern int pthread_setname_np(unsigned long, const char *);
extern unsigned long pthread_self(void);
static inline void ccurl_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
#endif
