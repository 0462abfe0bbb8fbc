// Functions of libcurl that only the C files in this folder need.
#pragma once
#include <curl/curl.h>

CURLcode shim_set_context(CURL *easy, curl_ssl_ctx_callback function);
CURLcode shim_get_backend(CURL *easy, struct curl_tlssessioninfo **value);
CURLcode shim_set_opening(CURL *easy, curl_opensocket_callback function);
CURLcode shim_set_closing(CURL *easy, curl_closesocket_callback function);
