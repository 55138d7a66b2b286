/*
 * gist_category.c
 *		GiST operator classes of what is asked for by equality beside the nearest
 *		position: the brand in USING gist (brand o2o.category_int4_ops, pos).  The key
 *		of positions lives in gist.c.
 *
 * A key is a range of codes, the lower one in the upper half of 8 bytes.  The code
 * of an integer that fits is the integer, of all else a hash, and then the server
 * checks the row.
 *
 * What btree_gist does not do: a page is cut between two codes wherever there are
 * two.  It cuts in the middle, and where that lies within a code, the core cuts by
 * the next column instead, so that most pages keep rows of two brands, and those of
 * a brand lie on two sets of pages, each all over the map.
 */
#include "o2o.h"

#include "access/gist.h"
#include "base/integer.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(o2o_category_gist_consistent_int4);
PG_FUNCTION_INFO_V1(o2o_category_gist_consistent_int8);
PG_FUNCTION_INFO_V1(o2o_category_gist_consistent_text);
PG_FUNCTION_INFO_V1(o2o_category_gist_compress_int4);
PG_FUNCTION_INFO_V1(o2o_category_gist_compress_int8);
PG_FUNCTION_INFO_V1(o2o_category_gist_compress_text);
PG_FUNCTION_INFO_V1(o2o_category_gist_union);
PG_FUNCTION_INFO_V1(o2o_category_gist_penalty);
PG_FUNCTION_INFO_V1(o2o_category_gist_picksplit);
PG_FUNCTION_INFO_V1(o2o_category_gist_same);

/* One entry of a page that splits. */
typedef struct SplitCategory
{
	int32 lower;
	int32 upper;
	OffsetNumber offset;
} SplitCategory;

static inline int64
key_of(int32 lower, int32 upper)
{
	return (int64) ((uint64) (uint32) lower << 32 | (uint32) upper);
}

static inline int32
lower_of(int64 key)
{
	return (int32) (key >> 32);
}

static inline int32
upper_of(int64 key)
{
	return (int32) key;
}

static inline int64
join_keys(int64 a, int64 b)
{
	return key_of(Min(lower_of(a), lower_of(b)), Max(upper_of(a), upper_of(b)));
}

/* The integer of a condition, whose type is not said where it is the column's. */
static inline int64
asked_integer(Oid type, Oid column_type, Datum value)
{
	return o2o_integer_of(OidIsValid(type) ? type : column_type, value);
}

static inline int32
code_of_int8(int64 value)
{
	return DatumGetInt32(DirectFunctionCall1(hashint8, Int64GetDatum(value)));
}

static inline int32
code_of_text(Datum value, Oid collation)
{
	return DatumGetInt32(DirectFunctionCall1Coll(hashtext, collation, value));
}

/* Whether the entry may hold the code that the value of the condition has. */
static inline bool
entry_holds(const GISTENTRY *entry, int32 code)
{
	int64 key = DatumGetInt64(entry->key);

	return lower_of(key) <= code && code <= upper_of(key);
}

Datum
o2o_category_gist_consistent_int4(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	int64 value = asked_integer(PG_GETARG_OID(3), INT4OID, PG_GETARG_DATUM(1));
	bool *recheck = (bool *) PG_GETARG_POINTER(4);

	*recheck = false;
	PG_RETURN_BOOL(value == (int32) value && entry_holds(entry, (int32) value));
}

Datum
o2o_category_gist_consistent_int8(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	int64 value = asked_integer(PG_GETARG_OID(3), INT8OID, PG_GETARG_DATUM(1));
	bool *recheck = (bool *) PG_GETARG_POINTER(4);

	*recheck = true;
	PG_RETURN_BOOL(entry_holds(entry, code_of_int8(value)));
}

Datum
o2o_category_gist_consistent_text(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	bool *recheck = (bool *) PG_GETARG_POINTER(4);

	*recheck = true;
	PG_RETURN_BOOL(entry_holds(entry, code_of_text(PG_GETARG_DATUM(1), PG_GET_COLLATION())));
}

/* The entry of a row, with its code as key. */
static GISTENTRY *
compressed(const GISTENTRY *entry, int32 code)
{
	GISTENTRY *stored = palloc(sizeof(GISTENTRY));

	gistentryinit(*stored, Int64GetDatum(key_of(code, code)), entry->rel, entry->page,
				  entry->offset, false);
	return stored;
}

Datum
o2o_category_gist_compress_int4(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(entry->leafkey ? compressed(entry, DatumGetInt32(entry->key)) : entry);
}

Datum
o2o_category_gist_compress_int8(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(entry->leafkey ? compressed(entry, code_of_int8(DatumGetInt64(entry->key)))
									 : entry);
}

Datum
o2o_category_gist_compress_text(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);

	PG_RETURN_POINTER(
		entry->leafkey ? compressed(entry, code_of_text(entry->key, PG_GET_COLLATION())) : entry);
}

Datum
o2o_category_gist_union(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	int *size = (int *) PG_GETARG_POINTER(1);
	int64 all = DatumGetInt64(entries->vector[0].key);

	for (int i = 1; i < entries->n; i++)
		all = join_keys(all, DatumGetInt64(entries->vector[i].key));
	*size = sizeof(int64);
	PG_RETURN_INT64(all);
}

/* How many codes a range would have to grow by; none only if it holds them all. */
Datum
o2o_category_gist_penalty(PG_FUNCTION_ARGS)
{
	int64 key = DatumGetInt64(((GISTENTRY *) PG_GETARG_POINTER(0))->key);
	int64 added = DatumGetInt64(((GISTENTRY *) PG_GETARG_POINTER(1))->key);
	float *penalty = (float *) PG_GETARG_POINTER(2);
	int64 below = (int64) lower_of(key) - lower_of(added);
	int64 above = (int64) upper_of(added) - upper_of(key);

	*penalty = (float) (Max(below, 0) + Max(above, 0));
	PG_RETURN_POINTER(penalty);
}

static int
compare_categories(const void *a, const void *b)
{
	const SplitCategory *left = a;
	const SplitCategory *right = b;

	if (left->lower != right->lower)
		return left->lower < right->lower ? -1 : 1;
	if (left->upper != right->upper)
		return left->upper < right->upper ? -1 : 1;
	return (int) left->offset - (int) right->offset;
}

/* Between two codes, as near the middle as can be; where no place is, in the middle. */
static int
place_of_cut(const SplitCategory *places, int count)
{
	int middle = count / 2;
	int cut = -1;
	int32 upper = places[0].upper;

	for (int i = 1; i < count; i++)
	{
		if (places[i].lower > upper && (cut < 0 || abs(i - middle) < abs(cut - middle)))
			cut = i;
		upper = Max(upper, places[i].upper);
	}
	return cut < 0 ? middle : cut;
}

Datum
o2o_category_gist_picksplit(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	GIST_SPLITVEC *split = (GIST_SPLITVEC *) PG_GETARG_POINTER(1);
	int count = entries->n - 1;
	SplitCategory *places = palloc(sizeof(SplitCategory) * count);
	int64 halves[2];
	int cut;

	for (int i = 0; i < count; i++)
	{
		int64 key = DatumGetInt64(entries->vector[FirstOffsetNumber + i].key);

		places[i].lower = lower_of(key);
		places[i].upper = upper_of(key);
		places[i].offset = FirstOffsetNumber + i;
	}
	qsort(places, count, sizeof(SplitCategory), compare_categories);

	cut = place_of_cut(places, count);
	split->spl_left = palloc(sizeof(OffsetNumber) * count);
	split->spl_right = palloc(sizeof(OffsetNumber) * count);
	split->spl_nleft = 0;
	split->spl_nright = 0;
	halves[0] = key_of(places[0].lower, places[0].upper);
	halves[1] = key_of(places[cut].lower, places[cut].upper);
	for (int i = 0; i < count; i++)
	{
		if (i < cut)
			split->spl_left[split->spl_nleft++] = places[i].offset;
		else
			split->spl_right[split->spl_nright++] = places[i].offset;
		halves[i >= cut] = join_keys(halves[i >= cut], key_of(places[i].lower, places[i].upper));
	}
	split->spl_ldatum = Int64GetDatum(halves[0]);
	split->spl_rdatum = Int64GetDatum(halves[1]);
	PG_RETURN_POINTER(split);
}

Datum
o2o_category_gist_same(PG_FUNCTION_ARGS)
{
	bool *same = (bool *) PG_GETARG_POINTER(2);

	*same = PG_GETARG_INT64(0) == PG_GETARG_INT64(1);
	PG_RETURN_POINTER(same);
}
