/*
 * gist.c
 *		GiST operator class of o2o.geopoint, for indexes of several columns.
 *		Lower bounds of distances live in bound.c, the Hilbert order in cell.c.
 *
 * A key has 8 bytes and says itself what it is.  With the upper bit clear it is
 * a position.  With it set it is an area: the south-west corner in steps of 256
 * units (24 bits of longitude, 23 of latitude), then width and height in the
 * same steps as numbers of 3 bits and an exponent of 5, all rounded outwards.
 * No area crosses the antimeridian.
 *
 * There is a compress function although keys are stored as they come, and no
 * fetch function: without the former or with the latter the server would try
 * index-only scans, which refuse lower bounds as distances.  (Of an index of an
 * expression whose columns are all INCLUDEd it tries them nevertheless.)
 */
#include "o2o.h"

#include <math.h>

#include "access/gist.h"
#include "access/stratnum.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "utils/memutils.h"
#include "utils/sortsupport.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_gist_consistent);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_union);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_compress);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_penalty);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_picksplit);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_same);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_distance);
PG_FUNCTION_INFO_V1(o2o_geopoint_gist_sortsupport);

#define AREA_FLAG (UINT64_C(1) << 63)
#define STEP_BITS 8
#define EAST_SHIFT 39
#define NORTH_SHIFT 16
#define CORNER_LON_MASK 0xFFFFFF
#define CORNER_LAT_MASK 0x7FFFFF

/* Where one entry of a page that splits lies along the axis of the split. */
typedef struct SplitPlace
{
	int64 middle;
	OffsetNumber offset;
} SplitPlace;

/* The smallest number of 3 bits and an exponent that is not below a length. */
static uint64
short_code(int64 length)
{
	int exponent = 0;

	if (length < 8)
		return length;
	while (((length - 1) >> exponent) + 1 > 15)
		exponent++;
	length = ((length - 1) >> exponent) + 1;
	return (uint64) (exponent + 1) << 3 | (length - 8);
}

static int64
short_length(uint64 code)
{
	return code < 8 ? (int64) code : (int64) (8 + (code & 7)) << ((code >> 3) - 1);
}

static Datum
key_of(const O2oGeoBox *box)
{
	int64 west = box->west >> STEP_BITS;
	int64 south = box->south >> STEP_BITS;

	return Int64GetDatum((int64) (AREA_FLAG | (uint64) west << EAST_SHIFT |
								  (uint64) south << NORTH_SHIFT |
								  short_code((box->east >> STEP_BITS) - west) << 8 |
								  short_code((box->north >> STEP_BITS) - south)));
}

static O2oGeoBox
box_of(Datum datum)
{
	uint64 key = (uint64) DatumGetInt64(datum);
	int64 west = key >> EAST_SHIFT & CORNER_LON_MASK;
	int64 south = key >> NORTH_SHIFT & CORNER_LAT_MASK;
	O2oGeoBox box;

	if (!(key & AREA_FLAG))
		return o2o_geo_point_box((O2oGeoPoint) key);
	box.west = west << STEP_BITS;
	box.south = south << STEP_BITS;
	box.east = ((west + short_length(key >> 8 & 0xFF) + 1) << STEP_BITS) - 1;
	box.north = ((south + short_length(key & 0xFF) + 1) << STEP_BITS) - 1;
	box.east = Min(box.east, O2O_GEO_LON_TURN - 1);
	box.north = Min(box.north, O2O_GEO_LAT_TOP);
	return box;
}

static void
extend(O2oGeoBox *box, Datum key)
{
	O2oGeoBox other = box_of(key);

	box->west = Min(box->west, other.west);
	box->east = Max(box->east, other.east);
	box->south = Min(box->south, other.south);
	box->north = Max(box->north, other.north);
}

/* Square steps, counted so that a position or a line is more than nothing. */
static double
area(const O2oGeoBox *box)
{
	return ((double) ((box->east - box->west) >> STEP_BITS) + 1.0) *
		   ((double) ((box->north - box->south) >> STEP_BITS) + 1.0);
}

/* What the bounds need of the position searched from, kept for the scan. */
static O2oGeoSearch *
searched_from(FmgrInfo *flinfo, O2oGeoPoint point)
{
	O2oGeoSearch *search = (O2oGeoSearch *) flinfo->fn_extra;

	if (search == NULL)
		search = flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(O2oGeoSearch));
	else if (search->query.point == point)
		return search;
	o2o_geo_search_init(search, point);
	return search;
}

/* The same of the circle of a condition. */
static O2oGeoReach *
reach_of(FmgrInfo *flinfo, const O2oGeoCircle *circle)
{
	O2oGeoReach *reach = (O2oGeoReach *) flinfo->fn_extra;

	if (reach == NULL)
		reach = flinfo->fn_extra = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(O2oGeoReach));
	else if (reach->query.point == circle->center && reach->metres == circle->radius)
		return reach;
	o2o_geo_reach_init(reach, circle->center, circle->radius);
	return reach;
}

/* Exact at the leaves, so that nothing has to be asked again. */
Datum
o2o_geopoint_gist_consistent(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	Datum argument = PG_GETARG_DATUM(1);
	StrategyNumber strategy = (StrategyNumber) PG_GETARG_UINT16(2);
	bool *recheck = (bool *) PG_GETARG_POINTER(4);
	O2oGeoBox box;

	*recheck = false;
	if (strategy == O2O_GEO_IN_CIRCLE)
	{
		const O2oGeoReach *reach = reach_of(fcinfo->flinfo, DatumGetGeoCircle(argument));

		if (GIST_LEAF(entry))
			PG_RETURN_BOOL(o2o_geo_reach_holds(reach, DatumGetGeoPoint(entry->key)));
		box = box_of(entry->key);
		PG_RETURN_BOOL(o2o_geo_reach_box(reach, &box) != O2O_GEO_APART);
	}
	box = box_of(entry->key);
	if (strategy == O2O_GEO_OVERLAPS_FRAME || strategy == O2O_GEO_IN_FRAME)
		PG_RETURN_BOOL(o2o_geo_frame_reaches(DatumGetGeoFrame(argument), &box));
	if (strategy == O2O_GEO_EQUALS)
	{
		O2oGeoPoint point = DatumGetGeoPoint(argument);

		if (GIST_LEAF(entry))
			PG_RETURN_BOOL(DatumGetGeoPoint(entry->key) == point);
		PG_RETURN_BOOL(o2o_geo_box_holds(&box, point));
	}
	elog(ERROR, "unrecognized strategy number: %d", strategy);
	PG_RETURN_BOOL(false);
}

Datum
o2o_geopoint_gist_union(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	int *size = (int *) PG_GETARG_POINTER(1);
	O2oGeoBox box = box_of(entries->vector[0].key);
	int i;

	for (i = 1; i < entries->n; i++)
		extend(&box, entries->vector[i].key);
	*size = sizeof(int64);
	return key_of(&box);
}

Datum
o2o_geopoint_gist_compress(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(PG_GETARG_POINTER(0));
}

/* How much an area would have to grow. */
Datum
o2o_geopoint_gist_penalty(PG_FUNCTION_ARGS)
{
	GISTENTRY *old = (GISTENTRY *) PG_GETARG_POINTER(0);
	GISTENTRY *added = (GISTENTRY *) PG_GETARG_POINTER(1);
	float *penalty = (float *) PG_GETARG_POINTER(2);
	O2oGeoBox box = box_of(old->key);
	double before = area(&box);

	extend(&box, added->key);
	*penalty = (float) (area(&box) - before);
	PG_RETURN_POINTER(penalty);
}

static int
compare_places(const void *a, const void *b)
{
	const SplitPlace *left = a;
	const SplitPlace *right = b;

	if (left->middle != right->middle)
		return left->middle < right->middle ? -1 : 1;
	return (int) left->offset - (int) right->offset;
}

/*
 * Where to cut what is sorted by its middles: at the widest gap, so that less of
 * nothing lies within the areas, but that no part gets less than three tenths.  Far
 * more than the page had is a sorted build's, which divides several pages at once: by
 * halves these stay full.
 */
static int
place_of_cut(const SplitPlace *places, int count, int on_page)
{
	int cut = count / 2;
	int i;

	if (count > on_page + on_page / 4)
		return cut;
	for (i = count * 3 / 10 + 1; i <= count * 7 / 10; i++)
		if (places[i].middle - places[i - 1].middle > places[cut].middle - places[cut - 1].middle)
			cut = i;
	return cut;
}

/* In two along the longer side. */
Datum
o2o_geopoint_gist_picksplit(PG_FUNCTION_ARGS)
{
	GistEntryVector *entries = (GistEntryVector *) PG_GETARG_POINTER(0);
	GIST_SPLITVEC *split = (GIST_SPLITVEC *) PG_GETARG_POINTER(1);
	int count = entries->n - 1;
	SplitPlace *places = palloc(sizeof(SplitPlace) * count);
	O2oGeoBox all = box_of(entries->vector[FirstOffsetNumber].key);
	O2oGeoBox halves[2];
	bool by_longitude;
	int cut;
	int i;

	for (i = 1; i < count; i++)
		extend(&all, entries->vector[FirstOffsetNumber + i].key);
	/* degrees of longitude are the shorter ones, by the cosine of the latitude */
	by_longitude = (all.east - all.west) * cos(((all.south + all.north) / 2 - O2O_GEO_LAT_HALF) *
											   (M_PI / 180.0 * 1e-7)) >=
				   all.north - all.south;
	for (i = 0; i < count; i++)
	{
		O2oGeoBox box = box_of(entries->vector[FirstOffsetNumber + i].key);

		places[i].middle = by_longitude ? box.west + box.east : box.south + box.north;
		places[i].offset = FirstOffsetNumber + i;
	}
	qsort(places, count, sizeof(SplitPlace), compare_places);

	cut = place_of_cut(places, count,
					   PageGetMaxOffsetNumber(entries->vector[FirstOffsetNumber].page));
	split->spl_left = palloc(sizeof(OffsetNumber) * count);
	split->spl_right = palloc(sizeof(OffsetNumber) * count);
	split->spl_nleft = 0;
	split->spl_nright = 0;
	halves[0] = box_of(entries->vector[places[0].offset].key);
	halves[1] = box_of(entries->vector[places[count - 1].offset].key);
	for (i = 0; i < count; i++)
	{
		OffsetNumber offset = places[i].offset;

		if (i < cut)
			split->spl_left[split->spl_nleft++] = offset;
		else
			split->spl_right[split->spl_nright++] = offset;
		extend(&halves[i >= cut], entries->vector[offset].key);
	}
	split->spl_ldatum = key_of(&halves[0]);
	split->spl_rdatum = key_of(&halves[1]);
	PG_RETURN_POINTER(split);
}

Datum
o2o_geopoint_gist_same(PG_FUNCTION_ARGS)
{
	bool *same = (bool *) PG_GETARG_POINTER(2);

	*same = PG_GETARG_INT64(0) == PG_GETARG_INT64(1);
	PG_RETURN_POINTER(same);
}

/* The exact distance of likely positions; of others a lower bound, which the server checks. */
Datum
o2o_geopoint_gist_distance(PG_FUNCTION_ARGS)
{
	GISTENTRY *entry = (GISTENTRY *) PG_GETARG_POINTER(0);
	bool *recheck = (bool *) PG_GETARG_POINTER(4);
	O2oGeoSearch *search = searched_from(fcinfo->flinfo, PG_GETARG_GEOPOINT(1));
	O2oGeoBox box;

	if (GIST_LEAF(entry))
	{
		bool exact;
		double metres = o2o_geo_search_distance(search, DatumGetGeoPoint(entry->key), &exact);

		*recheck = !exact;
		PG_RETURN_FLOAT8(metres);
	}
	box = box_of(entry->key);
	*recheck = false;
	PG_RETURN_FLOAT8(o2o_geo_bound(&search->query, &box));
}

/* Sorted builds: along the Hilbert curve, equal places by value. */
static int
compare_hilbert(Datum a, Datum b, SortSupport ssup)
{
	int64 left = o2o_geo_hilbert(DatumGetGeoPoint(a));
	int64 right = o2o_geo_hilbert(DatumGetGeoPoint(b));

	if (left != right)
		return left < right ? -1 : 1;
	return DatumGetInt64(a) < DatumGetInt64(b) ? -1 : DatumGetInt64(a) > DatumGetInt64(b);
}

static Datum
abbreviate_hilbert(Datum original, SortSupport ssup)
{
	return Int64GetDatum(o2o_geo_hilbert(DatumGetGeoPoint(original)));
}

/* The place on the curve always fits, and nearly always decides. */
static bool
keep_abbreviating(int memtupcount, SortSupport ssup)
{
	return false;
}

Datum
o2o_geopoint_gist_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = compare_hilbert;
	if (ssup->abbreviate)
	{
		ssup->comparator = ssup_datum_signed_cmp;
		ssup->abbrev_converter = abbreviate_hilbert;
		ssup->abbrev_abort = keep_abbreviating;
		ssup->abbrev_full_comparator = compare_hilbert;
	}
	PG_RETURN_VOID();
}
