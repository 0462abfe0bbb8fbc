// Functions of libcurl that only the C files in this folder need.
#pragma once
#include <curl/curl.h>

#if defined(__OPTIMIZE__) && __USE_FORTIFY_LEVEL < 2
#error "needs -D_FORTIFY_SOURCE=2, with which the C library checks what is written to an array (Package.swift)"
#endif

CURLcode shim_set_context(CURL *easy, curl_ssl_ctx_callback function);
CURLcode shim_get_backend(CURL *easy, struct curl_tlssessioninfo **value);
CURLcode shim_set_opening(CURL *easy, curl_opensocket_callback function);
CURLcode shim_set_closing(CURL *easy, curl_closesocket_callback function);

// Opens libcurl as dlopen does, without the libraries that snapshot never uses.
void *shim_open_library(void);
