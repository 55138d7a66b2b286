/*
 * identifier_json.c
 *		identifiers_from_json(): the identifiers of one event as the caller has
 *		them, an object or an array in jsonb, read, made distinct and sorted.
 *		What the call then does with them lives in the model.
 */
#include "identity/identity.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(o2o_identifiers_from_json);
PG_FUNCTION_INFO_V1(o2o_identifiers_from_json_or_null);

/* More identifiers in one event are a mistake of the caller, not a person. */
#define MAX_IDENTIFIERS 100

typedef struct Collection
{
	text *default_country;      /* NULL for none */
	O2OCountryFunction country; /* where it is to be asked for; NULL: it is there */
	void *country_argument;
	bool soft; /* note what is invalid instead of raising it */
	bool invalid;
	int count;
	Datum items[MAX_IDENTIFIERS]; /* sorted, distinct */
} Collection;

/* Adds an identifier in its place, unless it is there. */
static void
add(Collection *all, const O2OIdentifierText *found)
{
	struct varlena *id = o2o_identifier_store(found);
	int low = 0;
	int high = all->count;

	while (low < high)
	{
		int middle = (low + high) / 2;
		int order =
			o2o_identifier_compare(id, (struct varlena *) DatumGetPointer(all->items[middle]));

		if (order == 0)
			return;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (all->count == MAX_IDENTIFIERS)
		ereport(ERROR,
				(errcode(ERRCODE_O2O_TOO_MANY_IDENTIFIERS),
				 errmsg("too many identifiers in one call"),
				 errdetail("One call takes at most %d different identifiers.", MAX_IDENTIFIERS),
				 errhint("Pass what was seen together in one event, one event a call.")));
	memmove(&all->items[low + 1], &all->items[low], (all->count - low) * sizeof(Datum));
	all->items[low] = PointerGetDatum(id);
	all->count++;
}

/* Is an error only to be noted? */
static bool
noted(Collection *all)
{
	if (all->soft)
		all->invalid = true;
	return all->soft;
}

/* Reads one value of a kind, or 'kind:value' when kind is NULL, and adds it. */
static void
read_and_add(Collection *all, const JsonbValue *kind, const char *value, int len)
{
	O2OIdentifierText found;
	O2OIdentifierStatus status;

	if (kind != NULL)
		status = o2o_identifier_read_value(kind->val.string.val, kind->val.string.len, value, len,
										   &found);
	else
		status = o2o_identifier_read(value, len, &found);

	if (status == O2O_IDENTIFIER_PHONE)
	{
		text *country;
		size_t skip = kind != NULL ? 0 : o2o_after_colon(value, len);

		if (all->country != NULL)
		{
			all->default_country = all->country(all->country_argument);
			all->country = NULL;
		}
		country = all->default_country;
		status = o2o_identifier_read_phone(value + skip, len - (int) skip,
										   country ? VARDATA_ANY(country) : NULL,
										   country ? (int) VARSIZE_ANY_EXHDR(country) : 0, &found);
	}
	if (status == O2O_IDENTIFIER_OK)
		add(all, &found);
	else if (status != O2O_IDENTIFIER_EMPTY && !noted(all))
		o2o_identifier_error(NULL, status, &found);
}

/*
 * A number as an identifier: whole and not negative. Exports write a card as
 * 88001.0, which means 88001. NULL is an error that was noted.
 */
static char *
whole_number(Collection *all, Numeric number)
{
	char *digits = numeric_normalize(number);

	if (strspn(digits, "0123456789") == strlen(digits))
		return digits;
	if (!noted(all))
		ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						errmsg("number in identifiers is not a whole number of zero or more"),
						errhint("Pass the value as a string.")));
	return NULL;
}

/* Takes in one scalar of the input. */
static void
take(Collection *all, const JsonbValue *kind, const JsonbValue *value)
{
	if (value->type == jbvNull)
		return;
	if (value->type == jbvString)
	{
		O2OSpan span = {value->val.string.val, (size_t) value->val.string.len};

		/* without a kind, a blank text has nothing that could be wrong */
		if (kind != NULL || o2o_trim(span).len > 0)
			read_and_add(all, kind, value->val.string.val, value->val.string.len);
		return;
	}
	if (value->type == jbvNumeric && kind != NULL)
	{
		char *digits = whole_number(all, value->val.numeric);

		if (digits != NULL)
			read_and_add(all, kind, digits, (int) strlen(digits));
		return;
	}
	if (noted(all))
		return;
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value in identifiers"),
		 kind != NULL
			 ? errdetail("The value of a kind is a string, a number, null, or an array of these.")
			 : errdetail("An array of identifiers holds strings, kind:value each, and nulls.")));
}

/* A key has to be a kind even when its value is null. */
static void
check_kind(Collection *all, const JsonbValue *kind)
{
	O2OIdentifierText found;
	O2OIdentifierStatus status;

	status = o2o_identifier_read_value(kind->val.string.val, kind->val.string.len, "", 0, &found);
	if (status != O2O_IDENTIFIER_EMPTY && !noted(all))
		o2o_identifier_error(NULL, status, &found);
}

/* Walks through the input: an object of kinds, or an array of texts. */
static void
collect(Collection *all, Jsonb *input)
{
	JsonbIterator *it = JsonbIteratorInit(&input->root);
	JsonbIteratorToken token;
	JsonbValue value;
	JsonbValue kind;
	bool by_kind;
	int depth = 1;

	token = JsonbIteratorNext(&it, &value, false);
	by_kind = token == WJB_BEGIN_OBJECT;
	if (!by_kind && value.val.array.rawScalar)
	{
		if (!noted(all))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("identifiers must be an object or an array"),
							errhint("Examples: {\"phone\": \"+12025550123\"}, [\"card:88001\"].")));
		return;
	}

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		switch (token)
		{
			case WJB_KEY:
				kind = value;
				check_kind(all, &kind);
				break;
			case WJB_VALUE:
			case WJB_ELEM:
				take(all, by_kind ? &kind : NULL, &value);
				break;
			case WJB_BEGIN_ARRAY:
				if (!by_kind || ++depth > 2)
					take(all, by_kind ? &kind : NULL, &value);
				break;
			case WJB_BEGIN_OBJECT:
				take(all, by_kind ? &kind : NULL, &value);
				break;
			case WJB_END_ARRAY:
				depth--;
				break;
			default:
				break;
		}
	}
}

/* What both functions do: the array, or NULL where that is to be the error. */
static Datum
from_json(FunctionCallInfo fcinfo, bool soft)
{
	Collection all;
	Oid *element = fcinfo->flinfo->fn_extra;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (element == NULL)
	{
		element = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Oid));
		*element = get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid));
		fcinfo->flinfo->fn_extra = element;
	}

	all.count = 0;
	all.soft = soft;
	all.invalid = false;
	all.country = NULL;
	all.default_country = PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1);
	collect(&all, PG_GETARG_JSONB_P(0));
	if (all.invalid)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(construct_array(all.items, all.count, *element, -1, false, TYPALIGN_INT));
}

/*
 * The identifiers of an event, of the type element. The default country is asked
 * for when there is a phone that needs one, which most do not.
 */
ArrayType *
o2o_identifiers_of_event(Jsonb *input, Oid element, O2OCountryFunction country, void *argument)
{
	Collection all;

	all.count = 0;
	all.soft = false;
	all.invalid = false;
	all.country = country;
	all.country_argument = argument;
	all.default_country = NULL;
	collect(&all, input);
	return construct_array(all.items, all.count, element, -1, false, TYPALIGN_INT);
}

/* identifiers_from_json(input jsonb, default_country text) */
Datum
o2o_identifiers_from_json(PG_FUNCTION_ARGS)
{
	return from_json(fcinfo, false);
}

/* identifiers_from_json_or_null(input jsonb, default_country text) */
Datum
o2o_identifiers_from_json_or_null(PG_FUNCTION_ARGS)
{
	return from_json(fcinfo, true);
}
