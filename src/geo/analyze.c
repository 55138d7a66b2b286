/*
 * analyze.c
 *		What ANALYZE keeps of a column of positions beside the server's own
 *		statistics: how close together they lie, at every scale.  How estimates use
 *		it lives in plan.c.
 *
 * For each depth of cells (4 x 4 a step) the share of pairs of rows whose positions
 * share a cell: the correlation sum of Belussi and Faloutsos ("Estimating the
 * Selectivity of Spatial Queries Using the Correlation Fractal Dimension", VLDB
 * 1995), counted in one pass over the sorted sample.  It tells how many rows lie
 * within a distance of a position that is one of them, wherever that is; a histogram
 * of a hundred positions cannot, where rows lie in towns.
 */
#include "o2o.h"

#include "commands/vacuum.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "geo/plan.h"

PG_FUNCTION_INFO_V1(o2o_geopoint_typanalyze);

/* What the server's own statistics of the type need, while ours wrap them. */
typedef struct Wrapped
{
	AnalyzeAttrComputeStatsFunc compute_stats;
	void *extra_data;
} Wrapped;

static int
compare_cells(const void *a, const void *b)
{
	O2oGeoCell left = *(const O2oGeoCell *) a;
	O2oGeoCell right = *(const O2oGeoCell *) b;

	return left < right ? -1 : left > right;
}

/* The share of pairs within a cell, for each depth from 1 on. */
static void
count_pairs(const O2oGeoCell *cells, int count, float4 shares[O2O_GEO_CELL_DEPTH])
{
	double pairs = 0.5 * count * (count - 1.0);

	for (int depth = 1; depth <= O2O_GEO_CELL_DEPTH; depth++)
	{
		int bits = 4 * depth - 1;
		double together = 0.0;
		int first = 0;

		for (int i = 1; i <= count; i++)
		{
			if (i < count && o2o_geo_cell_common_bits(cells[first], cells[i]) >= bits)
				continue;
			together += 0.5 * (i - first) * (i - first - 1.0);
			first = i;
		}
		shares[depth - 1] = (float4) (together / pairs);
	}
}

static void
compute_stats(VacAttrStats *stats, AnalyzeAttrFetchFunc fetch, int rows, double total_rows)
{
	Wrapped *wrapped = stats->extra_data;
	O2oGeoCell *cells;
	float4 *shares;
	int count = 0;
	int slot = 0;

	stats->extra_data = wrapped->extra_data;
	wrapped->compute_stats(stats, fetch, rows, total_rows);
	stats->extra_data = wrapped;
	while (slot < STATISTIC_NUM_SLOTS && stats->stakind[slot] != 0)
		slot++;
	if (!stats->stats_valid || slot == STATISTIC_NUM_SLOTS)
		return;

	cells = palloc(sizeof(O2oGeoCell) * Max(rows, 1));
	for (int i = 0; i < rows; i++)
	{
		bool isnull;
		Datum value;

		o2o_analyze_delay_point();
		value = fetch(stats, i, &isnull);
		if (!isnull)
			cells[count++] = o2o_geo_cell(DatumGetGeoPoint(value));
	}
	if (count < 2)
		return;
	qsort(cells, count, sizeof(O2oGeoCell), compare_cells);
	shares = MemoryContextAlloc(stats->anl_context, sizeof(float4) * O2O_GEO_CELL_DEPTH);
	count_pairs(cells, count, shares);
	stats->stakind[slot] = O2O_GEO_STATISTIC_PAIRS;
	stats->staop[slot] = InvalidOid;
	stats->stacoll[slot] = InvalidOid;
	stats->stanumbers[slot] = shares;
	stats->numnumbers[slot] = O2O_GEO_CELL_DEPTH;
}

Datum
o2o_geopoint_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	Wrapped *wrapped;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	wrapped = palloc(sizeof(Wrapped));
	wrapped->compute_stats = stats->compute_stats;
	wrapped->extra_data = stats->extra_data;
	stats->compute_stats = compute_stats;
	stats->extra_data = wrapped;
	PG_RETURN_BOOL(true);
}
