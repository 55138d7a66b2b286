/*
 * idn.c
 *		The module o2o_idn: the ASCII form of an internationalized domain by
 *		libidn2. Its caller is in identity/identifier_modules.c.
 */
#include "postgres.h"

#include <idn2.h>

#include "fmgr.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT bool o2o_idn_to_ascii(const char *domain, char *ascii, size_t size);

/* See O2OIdnaFunction. */
bool
o2o_idn_to_ascii(const char *domain, char *ascii, size_t size)
{
	char *found = NULL;
	bool fits;

	if (idn2_to_ascii_8z(domain, &found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	fits = strlen(found) < size;
	if (fits)
		memcpy(ascii, found, strlen(found) + 1);
	idn2_free(found);
	return fits;
}
