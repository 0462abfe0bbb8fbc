// OpenSSL's digests, HMAC and certificates. No macro of these headers is needed from Swift.
#pragma once
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
