/* Where a text, or a list of words, holds a secret: patterns alone, no memory of its own.
 *
 *     --password=PW   --token PW   PGPASSWORD=PW   "password": "PW"     names that announce one
 *     Authorization: Bearer TOKEN   Cookie: NAME=VALUE                 whole headers
 *     https://USER:PW@HOST                                              addresses
 *     -u USER:PW   --user USER:PW   -pw PW   -passin pass:PW            options of many programs
 *     mysql -pPW   sshpass -p PW   redis-cli -a PW   smbclient -U U%PW  options of a few, by name
 *
 * Where it is not clear how far a secret goes, it goes further. */
#ifndef WARDER_DAEMON_AUDIT_SECRET_PATTERN_H
#define WARDER_DAEMON_AUDIT_SECRET_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* A part of a text: from `start` to before `end`. */
struct secret {
    size_t start;
    size_t end;
};

/* What the words before the next one have announced. Zeroed at the start of a command. */
struct word_scan {
    const struct secret_program *program; /* whose options are known; NULL: none */
    unsigned expected;                    /* enum option_value of the next word */
};

/* The secret in the next word of a command line, which is its own (no quotes of a shell around it).
 * Words of a longer text that one word may hold are not looked at: secret_find is for those. */
bool secret_in_word(struct word_scan *scan, const char *word, size_t length, struct secret *secret);

/* The first secret in a text that begins at `from` or behind it. */
bool secret_find(const char *text, size_t length, size_t from, struct secret *secret);

/* Keeps in `secret` (which is there if `any`) the first of two, or both where they touch. `other`
 * may be NULL. True if there is one. */
bool secret_join(struct secret *secret, bool any, const struct secret *other);

/* The password of a text that is a host's name as a whole, `USER:PASSWORD@HOST`, as what reads
 * addresses badly hands it on; without a colon all before the `@`, which may be a token. No host
 * has an `@` in its name. */
bool secret_in_host(const char *text, size_t length, struct secret *secret);

#endif
