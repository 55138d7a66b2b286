/*
 * search.c
 *		store_find(): the places near a point that satisfy all conditions, read in
 *		the order of the index on the position. Whether one is open lives in
 *		hours.c, the tables in table.c, the index itself in src/geo/spgist.c.
 *
 * The index gives exact distances or lower bounds of them in ascending order, so the
 * search ends at the first bound beyond the k-th place found. Places as far as that
 * one are still looked at: of equal distances the lowest ids are wanted.
 */
#include "o2o.h"
#include "store/store.h"

#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "geo/geo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_store_is_plain);
PG_FUNCTION_INFO_V1(o2o_store_search_check);
PG_FUNCTION_INFO_V1(o2o_store_find);

typedef struct FoundPlace
{
	double metres;
	int64 id;
	text *name;
} FoundPlace;

/* Words of an array argument. */
typedef struct Words
{
	Datum *word;
	int count;
	bool has_null; /* nothing contains a null */
} Words;

typedef struct StoreSearch
{
	O2oGeoQuery query;
	double max_m; /* negative: any */
	int64 k;      /* negative: all */
	Words kinds;
	Words roles;
	Words services; /* none: any */
	bool wants_open;
	O2oStoreHours hours;
	O2oStoreReader places;
	FoundPlace *found; /* a heap with the worst on top where k is given */
	int64 count;
	int64 room;
} StoreSearch;

static void
check_search(bool has_point, bool has_max, double max_m)
{
	if (!has_point || (has_max && !(max_m >= 0 && max_m < get_float8_infinity())))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a search for stores needs a point and a finite distance of zero or "
							   "more metres")));
}

/* Whether a comes after b: farther, or as far with a higher id. */
static inline bool
is_worse(const FoundPlace *a, const FoundPlace *b)
{
	return a->metres > b->metres || (a->metres == b->metres && a->id > b->id);
}

static int
compare_found(const void *a, const void *b)
{
	return is_worse(a, b) ? 1 : is_worse(b, a) ? -1 : 0;
}

static bool
same_word(const struct varlena *a, const struct varlena *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static Words
words_of(FunctionCallInfo fcinfo, int argument)
{
	Words words = {NULL, 0, false};
	bool *nulls;

	if (PG_ARGISNULL(argument))
		return words;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &words.word, &nulls, &words.count);
	for (int i = 0; i < words.count; i++)
		if (nulls[i])
			words.has_null = true;
	return words;
}

static bool
array_has(ArrayType *array, Datum word)
{
	const bits8 *present = ARR_NULLBITMAP(array);
	int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	char *at = ARR_DATA_PTR(array);

	for (int i = 0; i < count; i++)
	{
		if (present != NULL && !(present[i / 8] & (1 << (i % 8))))
			continue;
		if (same_word((struct varlena *) at, (struct varlena *) DatumGetPointer(word)))
			return true;
		at = att_addlength_pointer(at, -1, at);
		at = (char *) att_align_nominal(at, TYPALIGN_INT);
	}
	return false;
}

/* What "array @> words" says. */
static bool
array_has_all(Datum array, const Words *words)
{
	ArrayType *elements;

	if (words->has_null)
		return false;
	if (words->count == 0)
		return true;
	elements = DatumGetArrayTypeP(array);
	for (int i = 0; i < words->count; i++)
		if (!array_has(elements, words->word[i]))
			return false;
	return true;
}

/* A column of the place at hand. */
static inline Datum
place(StoreSearch *search, int column, bool *isnull)
{
	return slot_getattr(search->places.slot, search->places.column[column], isnull);
}

/* Whether the place at hand exists at the moment: what location_in_business() says. */
static bool
exists(StoreSearch *search, Datum zone)
{
	bool has_begin, has_end;
	Datum begin = place(search, PLACE_OPENED_ON, &has_begin);
	Datum end = place(search, PLACE_CLOSED_ON, &has_end);
	DateADT day;

	has_begin = !has_begin;
	has_end = !has_end;
	if (!has_begin && !has_end)
		return true;
	day = o2o_store_local(&search->hours, zone)->day;
	return (!has_begin || DatumGetDateADT(begin) <= day) &&
		   (!has_end || DatumGetDateADT(end) > day);
}

/* Whether the place at hand satisfies all but the distance. */
static bool
passes(StoreSearch *search, int64 id)
{
	bool isnull;
	Datum zone;
	struct varlena *kind = (struct varlena *) DatumGetTextPP(place(search, PLACE_KIND, &isnull));
	int i = 0;

	while (i < search->kinds.count &&
		   !same_word(kind, (struct varlena *) DatumGetPointer(search->kinds.word[i])))
		i++;
	if (i == search->kinds.count ||
		!array_has_all(place(search, PLACE_SERVICES, &isnull), &search->services) ||
		!array_has_all(place(search, PLACE_ROLES, &isnull), &search->roles))
		return false;
	zone = place(search, PLACE_TIME_ZONE, &isnull);
	return exists(search, zone) &&
		   (!search->wants_open ||
			o2o_store_open(&search->hours, id, place(search, PLACE_WEEK_HOURS, &isnull),
						   o2o_store_local(&search->hours, zone)));
}

/* Puts a place where there is room for it, from the bottom of the heap up. */
static void
put_found(StoreSearch *search, FoundPlace new)
{
	int64 i = search->count++;

	if (search->count > search->room)
	{
		search->room = search->room * 2;
		search->found = repalloc_huge(search->found, search->room * sizeof(FoundPlace));
	}
	for (; search->k >= 0 && i > 0 && is_worse(&new, &search->found[(i - 1) / 2]); i = (i - 1) / 2)
		search->found[i] = search->found[(i - 1) / 2];
	search->found[i] = new;
}

/* Puts a place instead of the worst of k. */
static void
replace_worst(StoreSearch *search, FoundPlace new)
{
	int64 i = 0;

	for (;;)
	{
		int64 child = 2 * i + 1;

		if (child + 1 < search->count && is_worse(&search->found[child + 1], &search->found[child]))
			child++;
		if (child >= search->count || !is_worse(&search->found[child], &new))
			break;
		search->found[i] = search->found[child];
		i = child;
	}
	search->found[i] = new;
}

/* Looks at the place that the index has found; false: none that comes after it is wanted. */
static bool
look_at(StoreSearch *search, IndexScanDesc scan, MemoryContext passing)
{
	bool is_full = search->k >= 0 && search->count == search->k;
	bool isnull;
	bool is_wanted;
	FoundPlace new;
	MemoryContext kept;

	if (scan->numberOfOrderBys > 0)
	{
		/* places without a position come last */
		if (scan->xs_orderbynulls[0] ||
			(is_full && DatumGetFloat8(scan->xs_orderbyvals[0]) > search->found[0].metres))
			return false;
	}
	new.id = DatumGetInt64(place(search, PLACE_ID, &isnull));
	kept = MemoryContextSwitchTo(passing);
	is_wanted = passes(search, new.id);
	MemoryContextSwitchTo(kept);
	MemoryContextReset(passing);
	if (!is_wanted)
		return true;
	if (scan->numberOfOrderBys > 0 && !scan->xs_recheckorderby)
		new.metres = DatumGetFloat8(scan->xs_orderbyvals[0]);
	else
		new.metres = o2o_geo_query_distance(
			&search->query, DatumGetGeoPoint(place(search, PLACE_POSITION, &isnull)));
	if ((scan->xs_recheck && new.metres > search->max_m) ||
		(is_full && is_worse(&new, &search->found[0])))
		return true;
	new.name = DatumGetTextPCopy(place(search, PLACE_NAME, &isnull));
	if (is_full)
		replace_worst(search, new);
	else
		put_found(search, new);
	return true;
}

/* Reads places by the index on the position: in its order if k of them are wanted. */
static void
search_places(StoreSearch *search, const O2oStoreTables *tables, Snapshot snapshot)
{
	O2oGeoCircle circle = {search->query.point, search->max_m};
	int keys = search->max_m >= 0 ? 1 : 0;
	int orders = search->k >= 0 ? 1 : 0;
	ScanKeyData within;
	ScanKeyData nearest;
	MemoryContext passing =
		AllocSetContextCreate(CurrentMemoryContext, "place looked at", ALLOCSET_SMALL_SIZES);
	IndexScanDesc scan;

	ScanKeyEntryInitialize(&within, 0, 1, O2O_GEO_IN_CIRCLE, InvalidOid, InvalidOid,
						   tables->in_circle, PointerGetDatum(&circle));
	ScanKeyEntryInitialize(&nearest, SK_ORDER_BY, 1, O2O_GEO_NEAREST, InvalidOid, InvalidOid,
						   tables->distance, GeoPointGetDatum(search->query.point));
	scan = o2o_index_beginscan_ordered(search->places.table, search->places.index, snapshot, keys,
									   orders);
	search->places.scan = scan;
	index_rescan(scan, &within, keys, &nearest, orders);
	while (index_getnext_slot(scan, ForwardScanDirection, search->places.slot) &&
		   look_at(search, scan, passing))
		CHECK_FOR_INTERRUPTS();
	MemoryContextDelete(passing);
}

/* store_find(point, k, max_m, open_at, services, roles, kinds) */
Datum
o2o_store_find(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const O2oStoreTables *tables;
	StoreSearch search = {0};

	check_search(!PG_ARGISNULL(0), !PG_ARGISNULL(2), PG_ARGISNULL(2) ? 0 : PG_GETARG_FLOAT8(2));
	InitMaterializedSRF(fcinfo, 0);
	tables = o2o_store_tables();
	if (tables == NULL)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("the tables of places are not plain tables of this node")));
	o2o_geo_query_init(&search.query, PG_GETARG_GEOPOINT(0));
	search.k = PG_ARGISNULL(1) ? -1 : PG_GETARG_INT32(1);
	search.max_m = PG_ARGISNULL(2) ? -1 : PG_GETARG_FLOAT8(2);
	search.wants_open = !PG_ARGISNULL(3);
	search.services = words_of(fcinfo, 4);
	search.roles = words_of(fcinfo, 5);
	search.kinds = words_of(fcinfo, 6);
	search.room = 16;
	search.found = palloc(search.room * sizeof(FoundPlace));
	if (search.k != 0)
	{
		Snapshot snapshot = GetActiveSnapshot();

		o2o_store_hours_init(&search.hours,
							 search.wants_open ? PG_GETARG_TIMESTAMPTZ(3)
											   : GetCurrentTransactionStartTimestamp(),
							 snapshot);
		o2o_store_reader_open(&search.places, tables, O2O_STORE_LOCATION);
		if (search.wants_open)
			o2o_store_hours_open(&search.hours, tables);
		search_places(&search, tables, snapshot);
		if (search.wants_open)
			o2o_store_hours_close(&search.hours);
		o2o_store_reader_close(&search.places);
	}
	qsort(search.found, search.count, sizeof(FoundPlace), compare_found);
	for (int64 i = 0; i < search.count; i++)
	{
		Datum values[3] = {Int64GetDatum(search.found[i].id), PointerGetDatum(search.found[i].name),
						   Float8GetDatum(search.found[i].metres)};
		bool nulls[3] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* store_search_check(point, max_m) */
Datum
o2o_store_search_check(PG_FUNCTION_ARGS)
{
	check_search(!PG_ARGISNULL(0), !PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_FLOAT8(1));
	PG_RETURN_VOID();
}

/* store_is_plain() */
Datum
o2o_store_is_plain(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(o2o_store_tables() != NULL);
}
