/*
 * identifier_parse.h
 *		The pure parser of identifiers: bytes in, normal form and status out.
 *		No Postgres header here nor in identifier_parse.c, so that the parser
 *		can be fuzzed alone. Errors become SQL in identifier.c.
 */
#ifndef O2O_IDENTIFIER_PARSE_H
#define O2O_IDENTIFIER_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define O2O_IDENTIFIER_MAX 512      /* bytes of 'kind:value' in normal form */
#define O2O_IDENTIFIER_RAW_MAX 4096 /* bytes of a text that we try to read */
#define O2O_IDENTIFIER_KIND_MAX 63  /* bytes of a kind, as of any SQL name */

typedef enum O2OIdentifierStatus
{
	O2O_IDENTIFIER_OK = 0,
	O2O_IDENTIFIER_NO_KIND, /* no colon, or the kind breaks its pattern */
	O2O_IDENTIFIER_EMPTY,   /* nothing is left of the value */
	O2O_IDENTIFIER_TOO_LONG,
	O2O_IDENTIFIER_CONTROL,  /* control or invisible character inside */
	O2O_IDENTIFIER_ENCODING, /* not UTF-8 */
	O2O_IDENTIFIER_PHONE,    /* no E.164 number */
	O2O_IDENTIFIER_EMAIL,    /* no address */
	O2O_IDENTIFIER_DOMAIN,   /* domain refused by IDNA */
	O2O_IDENTIFIER_OPENID,   /* not <app>/<id> */
	O2O_IDENTIFIER_REF,      /* not <source>/<id> */
	/* found outside the parser, by identifier_modules.c */
	O2O_IDENTIFIER_PHONE_COUNTRY,    /* national number without a country */
	O2O_IDENTIFIER_PHONE_UNREADABLE, /* no number of that country */
	O2O_IDENTIFIER_PHONE_EXTENSION   /* number with an extension */
} O2OIdentifierStatus;

/*
 * What the parser found. After OK, text is the normal form. After another
 * status kind_len is 0 unless the kind was read, and tail holds the last two
 * characters of the value, or nothing where that would tell too much.
 */
typedef struct O2OIdentifierText
{
	int kind_len;
	int len;
	bool overflow;
	char tail[9];
	char text[O2O_IDENTIFIER_MAX + 1];
} O2OIdentifierText;

/*
 * Turns a domain that is not ASCII into its ASCII form (IDNA 2008). Returns
 * false when the domain is not allowed or the result does not fit.
 */
typedef bool (*O2OIdnaFunction)(const char *domain, char *ascii, size_t size);

extern O2OIdentifierStatus
o2o_identifier_parse(const char *input, size_t len, O2OIdnaFunction idna, O2OIdentifierText *out);
extern O2OIdentifierStatus
o2o_identifier_build(const char *kind, size_t kind_len, const char *value, size_t len,
					 O2OIdnaFunction idna, O2OIdentifierText *out);
extern void o2o_identifier_fold_email(O2OIdentifierText *email);

#endif /* O2O_IDENTIFIER_PARSE_H */
