/*
 * compare_string.h
 *		The pure core of the comparison functions: two strings of characters in,
 *		a similarity or a distance out. No Postgres header here nor in
 *		compare_string.c and compare_contact.c, so that they can be fuzzed alone.
 */
#ifndef O2O_COMPARE_STRING_H
#define O2O_COMPARE_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define O2O_COMPARE_MAX 4096 /* characters of one string; a pair costs at most its square */

/* Two strings as letters: equal characters have equal letters, others do not. */
#define O2O_LETTER_DIRECT 256 /* characters below are their own letters */
#define O2O_LETTER_MAX (O2O_LETTER_DIRECT + 2 * O2O_COMPARE_MAX)

typedef struct O2OLetters
{
	int a_len;
	int b_len;
	uint16_t a[O2O_COMPARE_MAX];
	uint16_t b[O2O_COMPARE_MAX];
} O2OLetters;

/* An agreement without evidence: a side says nothing. SQL shows it as NULL. */
#define O2O_AGREEMENT_NONE (-1)

/* compare_string.c */
extern void
o2o_letters_from_bytes(const char *a, int a_len, const char *b, int b_len, O2OLetters *out);
extern void
o2o_letters_from_codes(const uint32_t *a, int a_len, const uint32_t *b, int b_len, O2OLetters *out);
extern double o2o_jaro_similarity(const O2OLetters *pair);
extern double o2o_jaro_winkler_similarity(const O2OLetters *pair);
extern int o2o_damerau_levenshtein_distance(const O2OLetters *pair);

/* compare_contact.c */
extern int o2o_phone_agreement_level(const char *a, size_t a_len, const char *b, size_t b_len);
extern int o2o_email_agreement_level(const char *a, size_t a_len, const char *b, size_t b_len);
extern int o2o_date_agreement_level(int days_apart, const int a[3], const int b[3]);

#endif /* O2O_COMPARE_STRING_H */
