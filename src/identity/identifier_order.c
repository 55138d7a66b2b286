/*
 * identifier_order.c
 *		Order, equality and hashes of identifiers: the bytes of the normal form,
 *		the same under every locale. How it is reached lives elsewhere.
 */
#include "identity/identity.h"

#include "common/hashfn.h"
#include "utils/sortsupport.h"

PG_FUNCTION_INFO_V1(o2o_identifier_eq);
PG_FUNCTION_INFO_V1(o2o_identifier_ne);
PG_FUNCTION_INFO_V1(o2o_identifier_lt);
PG_FUNCTION_INFO_V1(o2o_identifier_le);
PG_FUNCTION_INFO_V1(o2o_identifier_gt);
PG_FUNCTION_INFO_V1(o2o_identifier_ge);
PG_FUNCTION_INFO_V1(o2o_identifier_cmp);
PG_FUNCTION_INFO_V1(o2o_identifier_sortsupport);
PG_FUNCTION_INFO_V1(o2o_identifier_hash);
PG_FUNCTION_INFO_V1(o2o_identifier_hash_extended);

/* Order of the bytes; a prefix comes first. */
int
o2o_identifier_compare(const struct varlena *a, const struct varlena *b)
{
	int a_len = (int) VARSIZE_ANY_EXHDR(a);
	int b_len = (int) VARSIZE_ANY_EXHDR(b);
	int order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(a_len, b_len));

	if (order == 0)
		order = a_len - b_len;
	return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

/* Compares the two arguments and frees what had to be unpacked for it. */
static int
compare_arguments(FunctionCallInfo fcinfo)
{
	struct varlena *a = O2OGetIdentifierPP(0);
	struct varlena *b = O2OGetIdentifierPP(1);
	int order = o2o_identifier_compare(a, b);

	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return order;
}

/* = */
Datum
o2o_identifier_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) == 0);
}

/* <> */
Datum
o2o_identifier_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) != 0);
}

/* < */
Datum
o2o_identifier_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) < 0);
}

/* <= */
Datum
o2o_identifier_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) <= 0);
}

/* > */
Datum
o2o_identifier_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) > 0);
}

/* >= */
Datum
o2o_identifier_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_arguments(fcinfo) >= 0);
}

/* btree support 1 */
Datum
o2o_identifier_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_arguments(fcinfo));
}

/* Compares two datums of a sort. */
static int
compare_sorted(Datum x, Datum y, SortSupport ssup)
{
	struct varlena *a = PG_DETOAST_DATUM_PACKED(x);
	struct varlena *b = PG_DETOAST_DATUM_PACKED(y);
	int order = o2o_identifier_compare(a, b);

	if ((Pointer) a != DatumGetPointer(x))
		pfree(a);
	if ((Pointer) b != DatumGetPointer(y))
		pfree(b);
	return order;
}

/* btree support 2: sorts without a function call per comparison */
Datum
o2o_identifier_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = compare_sorted;
	PG_RETURN_VOID();
}

/* hash support 1 */
Datum
o2o_identifier_hash(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);
	Datum hash = hash_any((unsigned char *) VARDATA_ANY(id), (int) VARSIZE_ANY_EXHDR(id));

	PG_FREE_IF_COPY(id, 0);
	return hash;
}

/* hash support 2 */
Datum
o2o_identifier_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *id = O2OGetIdentifierPP(0);
	Datum hash = hash_any_extended((unsigned char *) VARDATA_ANY(id), (int) VARSIZE_ANY_EXHDR(id),
								   PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(id, 0);
	return hash;
}
