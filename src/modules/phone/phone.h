/*
 * phone.h
 *		The one function of the module o2o_phone, and its answers. Neither a
 *		Postgres header nor C++ here: o2o.so and the shim both include it.
 */
#ifndef O2O_MODULE_PHONE_H
#define O2O_MODULE_PHONE_H

#include <stddef.h>

typedef enum O2OPhoneResult
{
	O2O_PHONE_OK = 0,
	O2O_PHONE_UNREADABLE, /* no phone number of that country */
	O2O_PHONE_COUNTRY,    /* the library does not know the country */
	O2O_PHONE_EXTENSION,  /* a number with an extension */
	O2O_PHONE_FAILED      /* the library threw */
} O2OPhoneResult;

/*
 * Writes the E.164 form of a number into e164. country is ISO 3166 alpha-2 in
 * upper case, or NULL when the number begins with '+'.
 */
typedef O2OPhoneResult (*O2OPhoneFunction)(const char *number, size_t len, const char *country,
										   char *e164, size_t size);

#endif /* O2O_MODULE_PHONE_H */
