/*
 * phone_parse.cc
 *		The shim around libphonenumber: C in, C out, no exception gets through.
 *		No Postgres header here: an ereport would jump over C++ destructors.
 */
#include <cstring>
#include <string>

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include "modules/phone/phone.h"

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

/* The library's name of an unknown region. */
static const char unknown_region[] = "ZZ";

static O2OPhoneResult
parse(const char *number, size_t len, const char *country, char *e164, size_t size)
{
	const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
	PhoneNumber parsed;
	std::string text;

	if (country != nullptr && util->GetCountryCodeForRegion(country) == 0)
		return O2O_PHONE_COUNTRY;
	if (util->Parse(std::string(number, len), country ? country : unknown_region, &parsed) !=
		PhoneNumberUtil::NO_PARSING_ERROR)
		return O2O_PHONE_UNREADABLE;
	if (parsed.has_extension())
		return O2O_PHONE_EXTENSION;
	/* possible, not valid: the library's plan of numbers is older than some */
	if (util->IsPossibleNumberWithReason(parsed) != PhoneNumberUtil::IS_POSSIBLE)
		return O2O_PHONE_UNREADABLE;
	util->Format(parsed, PhoneNumberUtil::E164, &text);
	if (text.size() >= size)
		return O2O_PHONE_UNREADABLE;
	memcpy(e164, text.c_str(), text.size() + 1);
	return O2O_PHONE_OK;
}

/* See O2OPhoneFunction. */
extern "C" __attribute__((visibility("default"))) O2OPhoneResult
o2o_phone_parse(const char *number, size_t len, const char *country, char *e164, size_t size)
{
	try
	{
		return parse(number, len, country, e164, size);
	}
	catch (...)
	{
		return O2O_PHONE_FAILED;
	}
}
