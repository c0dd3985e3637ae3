// The one place that names OpenSSL's headers. What OpenSSL offers as a macro only, Swift sees as an inline function.
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
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

static inline X509 *muster_read_certificate(BIO *bio) {
    return PEM_read_bio_X509(bio, NULL, muster_no_password, NULL);
}

// Swift sees OpenSSL's stacks as macros only.
static inline int muster_cms_recipients(CMS_ContentInfo *cms) {
    return sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms));
}

static inline CMS_RecipientInfo *muster_cms_recipient(CMS_ContentInfo *cms, int index) {
    return sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(cms), index);
}

static inline EVP_CIPHER_CTX *muster_cipher_context(BIO *bio) {
    EVP_CIPHER_CTX *context = NULL;
    return BIO_get_cipher_ctx(bio, &context) > 0 ? context : NULL;
}

// 0: it has no authentication; 1: it has, and takes its input piece by piece; -1: it has, and wants all of it at once.
static inline int muster_authenticates(const EVP_CIPHER_CTX *context) {
    const EVP_CIPHER *cipher = EVP_CIPHER_CTX_get0_cipher(context);
    if (!(EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER)) return 0;
    return EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CCM_MODE ? -1 : 1;
}

static inline int muster_set_tag(EVP_CIPHER_CTX *context, unsigned char *tag, int count) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, count, tag);
}

// HMAC, keyed once and run many times over; freed by EVP_MAC_CTX_free.
static inline EVP_MAC_CTX *muster_hmac(const char *digest, const unsigned char *key, size_t count) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (mac == NULL) return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0), OSSL_PARAM_construct_end()};
    if (context != NULL && EVP_MAC_init(context, key, count, parameters) == 1) return context;
    EVP_MAC_CTX_free(context);
    return NULL;
}
