/*
 * identifier_modules.c
 *		What needs a heavy library: phone numbers in national form (o2o_phone)
 *		and domains that are not ASCII (o2o_idn); pinyin.c asks for a third. Each module is loaded at its
 *		first call in a session; without it everything else goes on working.
 */
#include "identity/identity.h"

#include "modules/phone/phone.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_identifier_phone);
PG_FUNCTION_INFO_V1(o2o_identifier_phone_or_null);

/* The function of a module; whatever keeps it from loading is one clear error. */
void *
o2o_module_function(const char *path, const char *function, const char *library)
{
	MemoryContext caller = CurrentMemoryContext;
	void *volatile found = NULL;

	PG_TRY();
	{
		found = load_external_function(path, function, true, NULL);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_O2O_MODULE_MISSING),
				 errmsg("module %s is not available", strrchr(path, '/') + 1),
				 errdetail_internal("%s", error->message),
				 errhint("Install it on the server together with the library %s.", library)));
	}
	PG_END_TRY();
	return found;
}

/* See O2OIdnaFunction. */
bool
o2o_idna_to_ascii(const char *domain, char *ascii, size_t size)
{
	static O2OIdnaFunction to_ascii = NULL;

	if (to_ascii == NULL)
		to_ascii =
			(O2OIdnaFunction) o2o_module_function("$libdir/o2o_idn", "o2o_idn_to_ascii", "libidn2");
	return to_ascii(domain, ascii, size);
}

/* Two letters, in upper case, into region. */
static void
read_country(const char *country, int len, char region[3])
{
	for (int i = 0; i < 2 && len == 2; i++)
		region[i] = (char) pg_ascii_toupper((unsigned char) country[i]);
	region[2] = '\0';
	if (len != 2 || region[0] < 'A' || region[0] > 'Z' || region[1] < 'A' || region[1] > 'Z')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid country code"),
				 errdetail("A country is given by the two letters of ISO 3166-1, such as CN."),
				 errhint("Pass the country as the second argument.")));
}

/*
 * Reads a phone number in any usual form. A number with its '+' and without
 * doubt is read in C; the library is asked about the rest. country has the two
 * letters of ISO 3166-1, or is NULL.
 */
O2OIdentifierStatus
o2o_identifier_read_phone(const char *number, int len, const char *country, int country_len,
						  O2OIdentifierText *out)
{
	static O2OPhoneFunction parse = NULL;
	O2OIdentifierStatus status;
	O2OIdentifierText tail;
	char region[3];
	char e164[32];

	if (country != NULL)
		read_country(country, country_len, region);
	status = o2o_identifier_read_value("phone", 5, number, len, out);
	if (status != O2O_IDENTIFIER_PHONE)
		return status;
	if (country == NULL && !o2o_identifier_has_plus(number, len))
		return O2O_IDENTIFIER_PHONE_COUNTRY;

	if (parse == NULL)
		parse = (O2OPhoneFunction) o2o_module_function("$libdir/o2o_phone", "o2o_phone_parse",
													   "libphonenumber");
	switch (parse(number, len, country ? region : NULL, e164, sizeof(e164)))
	{
		case O2O_PHONE_OK:
			break;
		case O2O_PHONE_UNREADABLE:
			return O2O_IDENTIFIER_PHONE_UNREADABLE;
		case O2O_PHONE_EXTENSION:
			return O2O_IDENTIFIER_PHONE_EXTENSION;
		case O2O_PHONE_COUNTRY:
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("unknown country code \"%s\"", region)));
			break;
		case O2O_PHONE_FAILED:
			ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
							errmsg("libphonenumber failed on a phone number")));
			break;
	}

	tail = *out;
	status = o2o_identifier_read_value("phone", 5, e164, (int) strlen(e164), out);
	if (status == O2O_IDENTIFIER_OK)
		return status;
	*out = tail;
	return O2O_IDENTIFIER_PHONE_UNREADABLE;
}

/* Both SQL functions: a NULL number gives NULL, a NULL country is none. */
static O2OIdentifierStatus
read_phone_arguments(FunctionCallInfo fcinfo, O2OIdentifierText *found)
{
	text *number = PG_GETARG_TEXT_PP(0);
	text *country = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);

	return o2o_identifier_read_phone(VARDATA_ANY(number), (int) VARSIZE_ANY_EXHDR(number),
									 country ? VARDATA_ANY(country) : NULL,
									 country ? (int) VARSIZE_ANY_EXHDR(country) : 0, found);
}

/* identifier_phone(number text, country text) */
Datum
o2o_identifier_phone(PG_FUNCTION_ARGS)
{
	O2OIdentifierText found;
	O2OIdentifierStatus status;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	status = read_phone_arguments(fcinfo, &found);
	if (status != O2O_IDENTIFIER_OK)
		return o2o_identifier_error(NULL, status, &found);
	PG_RETURN_POINTER(o2o_identifier_store(&found));
}

/* identifier_phone_or_null(number text, country text) */
Datum
o2o_identifier_phone_or_null(PG_FUNCTION_ARGS)
{
	O2OIdentifierText found;

	if (PG_ARGISNULL(0) || read_phone_arguments(fcinfo, &found) != O2O_IDENTIFIER_OK)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(o2o_identifier_store(&found));
}
