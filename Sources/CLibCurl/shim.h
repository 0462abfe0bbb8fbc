// libcurl's variadic calls, one typed wrapper a kind of argument, so that Swift can call them.
#pragma once
#include <curl/curl.h>

static inline CURLcode shim_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode shim_set_offset(CURL *h, CURLoption o, curl_off_t v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode shim_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode shim_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode shim_set_list(CURL *h, CURLoption o, struct curl_slist *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode shim_set_mime(CURL *h, curl_mime *v) { return curl_easy_setopt(h, CURLOPT_MIMEPOST, v); }

typedef size_t (*shim_transfer)(char *bytes, size_t size, size_t count, void *context);
typedef int (*shim_seek)(void *context, curl_off_t offset, int origin);
static inline CURLcode shim_set_transfer(CURL *h, CURLoption o, shim_transfer f) { return curl_easy_setopt(h, o, f); }
static inline CURLcode shim_set_seek(CURL *h, shim_seek f) { return curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, f); }

static inline CURLcode shim_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode shim_get_offset(CURL *h, CURLINFO i, curl_off_t *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode shim_get_pointer(CURL *h, CURLINFO i, void **v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode shim_get_certificates(CURL *h, struct curl_certinfo **v) {
  return curl_easy_getinfo(h, CURLINFO_CERTINFO, v);
}
static inline CURLMcode shim_multi_set_long(CURLM *m, CURLMoption o, long v) { return curl_multi_setopt(m, o, v); }

static const long shim_auth_basic_or_digest = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST);
