#ifndef CCERTIFICATES_H
#define CCERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

/* A certificate and its key, both in PEM, each freed with ccertificates_free. */
struct ccertificates_identity {
    char *certificate_pem;
    char *key_pem;
};

/* What a certificate is to say. Times are seconds since the epoch. */
struct ccertificates_request {
    const char *common_name;
    int64_t not_before;
    int64_t not_after;
    const unsigned char *serial;
    size_t serial_bytes;
    /* Names and literal addresses, the latter as 4 or 16 bytes each; for a leaf alone. */
    const char *const *dns_names;
    size_t dns_name_count;
    const unsigned char *const *addresses;
    const size_t *address_bytes;
    size_t address_count;
};

/* Makes an ECDSA P-256 key and a certificate for it: signed by itself as an authority where issuer is NULL, else by issuer for a TLS server.
   Returns 0 or GnuTLS' negative error code, with nothing to free. */
int ccertificates_make(const struct ccertificates_request *request, const struct ccertificates_identity *issuer,
                       struct ccertificates_identity *result);

/* Reads the validity of the first certificate of a PEM text. Returns 0 or GnuTLS' negative error code. */
int ccertificates_validity(const char *certificate_pem, int64_t *not_before, int64_t *not_after);

/* 1 where the certificate is for that name or literal address (RFC 6125), 0 where it is not, or GnuTLS' negative error code. */
int ccertificates_is_for(const char *certificate_pem, const char *name);

/* What a server showed in a TLS handshake. */
struct ccertificates_peer {
    /* Of its own certificate; freed with ccertificates_free. */
    char *certificate_pem;
    /* From when on its own holds. */
    int64_t not_before;
    /* The earliest end of validity in the chain that it sent. */
    int64_t chain_not_after;
    /* Why the certificate is not to be trusted, by the system's authorities and for that name; NULL where it is. Freed with
       ccertificates_free. */
    char *distrust;
    /* Such as "TLS1.3", a constant. */
    const char *protocol;
};

/* Shakes hands over a connected socket as a client of that name and says goodbye; whatever the certificate, it only looks. Returns 0 or
   GnuTLS' negative error code, with nothing to free. */
int ccertificates_look_at_peer(int descriptor, const char *name, unsigned timeout_milliseconds, struct ccertificates_peer *peer);

const char *ccertificates_error(int code);
void ccertificates_free(char *text);

#endif
