// The one place that names OpenSSL's headers. What OpenSSL offers as a macro only, Swift sees as an inline function.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

static inline long muster_bio_data(BIO *bio, char **bytes) {
    return BIO_get_mem_data(bio, bytes);
}

// A PEM file behind a password must be refused: without a callback OpenSSL would ask on the terminal and hang a drill.
static inline int muster_no_password(char *buffer, int size, int writing, void *data) {
    (void)buffer; (void)size; (void)writing; (void)data;
    return -1;
}

static inline EVP_PKEY *muster_read_private_key(BIO *bio) {
    return PEM_read_bio_PrivateKey(bio, NULL, muster_no_password, NULL);
}
