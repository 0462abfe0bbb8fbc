// OpenSSL's digests, HMAC and certificates. Swift needs no macro of these headers.
#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
