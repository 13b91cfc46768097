#include "CCertificates.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

/* Runs a call of GnuTLS and leaves by `end` with its code where it fails. */
#define TRY(call)             \
    do {                      \
        code = (call);        \
        if (code < 0) goto end; \
    } while (0)

static gnutls_datum_t datum(const char *text) {
    gnutls_datum_t result = {(unsigned char *)text, (unsigned int)strlen(text)};
    return result;
}

static int set_common(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, const struct ccertificates_request *request) {
    int code = 0;
    unsigned char identifier[64];
    size_t length = sizeof identifier;
    TRY(gnutls_x509_crt_set_version(certificate, 3));
    TRY(gnutls_x509_crt_set_serial(certificate, request->serial, request->serial_bytes));
    TRY(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, request->common_name,
                                      (unsigned int)strlen(request->common_name)));
    TRY(gnutls_x509_crt_set_activation_time(certificate, (time_t)request->not_before));
    TRY(gnutls_x509_crt_set_expiration_time(certificate, (time_t)request->not_after));
    TRY(gnutls_x509_crt_set_key(certificate, key));
    TRY(gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, identifier, &length));
    TRY(gnutls_x509_crt_set_subject_key_id(certificate, identifier, length));
end:
    return code;
}

static int set_authority(gnutls_x509_crt_t certificate) {
    int code = 0;
    TRY(gnutls_x509_crt_set_basic_constraints(certificate, 1, 0));
    TRY(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
end:
    return code;
}

static int set_server(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer, const struct ccertificates_request *request) {
    int code = 0;
    unsigned char identifier[64];
    size_t length = sizeof identifier;
    TRY(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1));
    TRY(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE));
    TRY(gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0));
    TRY(gnutls_x509_crt_get_subject_key_id(issuer, identifier, &length, NULL));
    TRY(gnutls_x509_crt_set_authority_key_id(certificate, identifier, length));
    for (size_t index = 0; index < request->dns_name_count; index++) {
        const char *name = request->dns_names[index];
        TRY(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, (unsigned int)strlen(name), GNUTLS_FSAN_APPEND));
    }
    for (size_t index = 0; index < request->address_count; index++) {
        TRY(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, request->addresses[index],
                                                 (unsigned int)request->address_bytes[index], GNUTLS_FSAN_APPEND));
    }
end:
    return code;
}

int ccertificates_make(const struct ccertificates_request *request, const struct ccertificates_identity *issuer,
                       struct ccertificates_identity *result) {
    gnutls_x509_privkey_t key = NULL, issuer_key = NULL;
    gnutls_x509_crt_t certificate = NULL, issuer_certificate = NULL;
    gnutls_datum_t certificate_pem = {NULL, 0}, key_pem = {NULL, 0};
    int code = 0;
    TRY(gnutls_x509_privkey_init(&key));
    TRY(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    TRY(gnutls_x509_crt_init(&certificate));
    TRY(set_common(certificate, key, request));
    if (issuer == NULL) {
        TRY(set_authority(certificate));
        TRY(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
    } else {
        gnutls_datum_t text = datum(issuer->certificate_pem);
        TRY(gnutls_x509_crt_init(&issuer_certificate));
        TRY(gnutls_x509_crt_import(issuer_certificate, &text, GNUTLS_X509_FMT_PEM));
        text = datum(issuer->key_pem);
        TRY(gnutls_x509_privkey_init(&issuer_key));
        TRY(gnutls_x509_privkey_import(issuer_key, &text, GNUTLS_X509_FMT_PEM));
        TRY(set_server(certificate, issuer_certificate, request));
        TRY(gnutls_x509_crt_sign2(certificate, issuer_certificate, issuer_key, GNUTLS_DIG_SHA256, 0));
    }
    TRY(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem));
    TRY(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem));
    /* GnuTLS ends both with a zero byte. */
    result->certificate_pem = (char *)certificate_pem.data;
    result->key_pem = (char *)key_pem.data;
    certificate_pem.data = key_pem.data = NULL;
    code = 0;
end:
    gnutls_free(certificate_pem.data);
    gnutls_free(key_pem.data);
    if (certificate) gnutls_x509_crt_deinit(certificate);
    if (issuer_certificate) gnutls_x509_crt_deinit(issuer_certificate);
    if (key) gnutls_x509_privkey_deinit(key);
    if (issuer_key) gnutls_x509_privkey_deinit(issuer_key);
    return code;
}

int ccertificates_validity(const char *certificate_pem, int64_t *not_before, int64_t *not_after) {
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t text = datum(certificate_pem);
    int code = 0;
    TRY(gnutls_x509_crt_init(&certificate));
    TRY(gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM));
    *not_before = (int64_t)gnutls_x509_crt_get_activation_time(certificate);
    *not_after = (int64_t)gnutls_x509_crt_get_expiration_time(certificate);
    code = 0;
end:
    if (certificate) gnutls_x509_crt_deinit(certificate);
    return code;
}

int ccertificates_is_for(const char *certificate_pem, const char *name) {
    gnutls_x509_crt_t certificate = NULL;
    gnutls_datum_t text = datum(certificate_pem);
    int code = 0;
    TRY(gnutls_x509_crt_init(&certificate));
    TRY(gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM));
    code = gnutls_x509_crt_check_hostname(certificate, name) != 0;
end:
    if (certificate) gnutls_x509_crt_deinit(certificate);
    return code;
}

static int read_chain(gnutls_session_t session, struct ccertificates_peer *peer) {
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t certificate = NULL;
    int code = 0;
    if (chain == NULL || count == 0) return GNUTLS_E_NO_CERTIFICATE_FOUND;
    for (unsigned index = 0; index < count; index++) {
        TRY(gnutls_x509_crt_init(&certificate));
        TRY(gnutls_x509_crt_import(certificate, &chain[index], GNUTLS_X509_FMT_DER));
        int64_t end = (int64_t)gnutls_x509_crt_get_expiration_time(certificate);
        if (index == 0) {
            gnutls_datum_t pem = {NULL, 0};
            TRY(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem));
            peer->certificate_pem = (char *)pem.data;
            peer->not_before = (int64_t)gnutls_x509_crt_get_activation_time(certificate);
            peer->chain_not_after = end;
        } else if (end < peer->chain_not_after) {
            peer->chain_not_after = end;
        }
        gnutls_x509_crt_deinit(certificate);
        certificate = NULL;
    }
end:
    if (certificate) gnutls_x509_crt_deinit(certificate);
    return code;
}

static int is_literal_address(const char *name) {
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

int ccertificates_look_at_peer(int descriptor, const char *name, unsigned timeout_milliseconds, struct ccertificates_peer *peer) {
    gnutls_certificate_credentials_t credentials = NULL;
    gnutls_session_t session = NULL;
    gnutls_datum_t distrust = {NULL, 0};
    unsigned status = 0;
    int code = 0;
    memset(peer, 0, sizeof *peer);
    TRY(gnutls_certificate_allocate_credentials(&credentials));
    /* A system without authorities trusts nobody. */
    gnutls_certificate_set_x509_system_trust(credentials);
    TRY(gnutls_init(&session, GNUTLS_CLIENT));
    TRY(gnutls_set_default_priority(session));
    TRY(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials));
    /* A server name is never an address (RFC 6066). */
    if (!is_literal_address(name)) TRY(gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name)));
    gnutls_transport_set_int(session, descriptor);
    gnutls_handshake_set_timeout(session, timeout_milliseconds);
    do {
        code = gnutls_handshake(session);
    } while (code < 0 && gnutls_error_is_fatal(code) == 0);
    if (code < 0) goto end;
    TRY(read_chain(session, peer));
    TRY(gnutls_certificate_verify_peers3(session, name, &status));
    if (status != 0) {
        TRY(gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &distrust, 0));
        peer->distrust = (char *)distrust.data;
    }
    peer->protocol = gnutls_protocol_get_name(gnutls_protocol_get_version(session));
    gnutls_bye(session, GNUTLS_SHUT_WR);
    code = 0;
end:
    if (code < 0) {
        gnutls_free(peer->certificate_pem);
        peer->certificate_pem = NULL;
    }
    if (session) gnutls_deinit(session);
    if (credentials) gnutls_certificate_free_credentials(credentials);
    return code;
}

const char *ccertificates_error(int code) { return gnutls_strerror(code); }

void ccertificates_free(char *text) { gnutls_free(text); }
