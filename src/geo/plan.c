/*
 * plan.c
 *		What the planner asks of searches by radius: how many rows they find, and
 *		how geo_dwithin becomes a condition for an index.  The conditions
 *		themselves live in area_type.c, the indexes in spgist.c and gist.c.
 */
#include "o2o.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "geo/plan.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(o2o_geocircle_sel);
PG_FUNCTION_INFO_V1(o2o_geocircle_joinsel);
PG_FUNCTION_INFO_V1(o2o_geo_dwithin_support);

/* The share of rows when nothing is known, also between two tables. */
#define UNKNOWN_SHARE 0.001
#define JOIN_SHARE 0.0001
/* So many of the sampled positions have to be near to tell a density. */
#define DENSITY_NEIGHBOURS 3

/* A degree of latitude in metres, and the cosine of the latitude at which a cell is taken for a typical one. */
#define DEGREE 111133.0
#define TYPICAL_COSINE 0.77

/* The radius of the circle that is as large as a typical cell of a depth, whose sides are 2^32 units over 4^depth. */
static double
cell_radius(int depth)
{
	return ldexp(1e-7 * DEGREE, 32 - 2 * depth) * sqrt(TYPICAL_COSINE / M_PI);
}

/*
 * The share of rows within the radius of a position that is one of them, from the
 * shares of pairs within cells: in between as a power of the radius, below the last
 * one as if positions lay evenly.
 */
static double
share_of_pairs(const float4 *shares, int depths, double radius)
{
	int depth = 1;
	double power = 2.0;
	double near;

	if (radius >= cell_radius(1))
		return Min(1.0, shares[0] * pow(radius / cell_radius(1), 2.0));
	while (depth < depths && shares[depth] > 0.0 && cell_radius(depth + 1) >= radius)
		depth++;
	near = shares[depth - 1];
	if (depth < depths && shares[depth] > 0.0 && near > 0.0)
		power = log(near / shares[depth]) / log(4.0);
	return near * pow(radius / cell_radius(depth), power);
}

/* Whether there are statistics of a column of a kind, as a slot to be freed. */
static bool
statistic(VariableStatData *column, int kind, int flags, AttStatsSlot *slot)
{
	return HeapTupleIsValid(column->statsTuple) &&
		   get_attstatsslot(slot, column->statsTuple, kind, InvalidOid, flags);
}

/* The share of a table's rows within so many metres of a position that nothing else is known of; negative: no statistics. */
static double
usual_share(VariableStatData *column, double radius)
{
	AttStatsSlot slot;
	double share = -1.0;

	if (statistic(column, O2O_GEO_STATISTIC_PAIRS, ATTSTATSSLOT_NUMBERS, &slot))
	{
		if (slot.nnumbers == O2O_GEO_CELL_DEPTH)
			share = share_of_pairs(slot.numbers, slot.nnumbers, radius) *
					(1.0 - ((Form_pg_statistic) GETSTRUCT(column->statsTuple))->stanullfrac);
		free_attstatsslot(&slot);
	}
	return share;
}

/*
 * The share of sampled positions within the radius.  Where too few are, the
 * density around the center is that within the distance of the third nearest
 * sample, taken for even, or what is usual: a sample meets few towns, and somebody
 * who asks is likely to be in one.
 */
static double
share_of_sample(const Datum *sample, int count, const O2oGeoCircle *circle, double usual)
{
	double nearest[DENSITY_NEIGHBOURS];
	int inside = 0;
	int found = 0;
	double share;

	for (int i = 0; i < count; i++)
	{
		double metres = o2o_geo_distance(DatumGetGeoPoint(sample[i]), circle->center);
		int at;

		if (metres <= circle->radius)
			inside++;
		if (found == DENSITY_NEIGHBOURS && metres >= nearest[found - 1])
			continue;
		at = found < DENSITY_NEIGHBOURS ? found++ : found - 1;
		for (; at > 0 && nearest[at - 1] > metres; at--)
			nearest[at] = nearest[at - 1];
		nearest[at] = metres;
	}
	if (inside >= DENSITY_NEIGHBOURS)
		return (double) inside / count;
	if (found < DENSITY_NEIGHBOURS)
		return UNKNOWN_SHARE;
	share = (double) found / count * pow(circle->radius / nearest[found - 1], 2.0);
	return Max(share, Min(usual, (double) found / count));
}

/* The share of a table's rows whose position lies in the circle. */
static double
circle_share(PlannerInfo *root, Node *position, int varRelid, const O2oGeoCircle *circle)
{
	VariableStatData column;
	AttStatsSlot slot;
	double share = UNKNOWN_SHARE;

	examine_variable(root, position, varRelid, &column);
	if (HeapTupleIsValid(column.statsTuple))
	{
		double rest = 1.0 - ((Form_pg_statistic) GETSTRUCT(column.statsTuple))->stanullfrac;
		double common = 0.0;

		if (statistic(&column, STATISTIC_KIND_MCV, ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS,
					  &slot))
		{
			for (int i = 0; i < slot.nvalues && i < slot.nnumbers; i++)
			{
				rest -= slot.numbers[i];
				if (o2o_geo_distance(DatumGetGeoPoint(slot.values[i]), circle->center) <=
					circle->radius)
					common += slot.numbers[i];
			}
			free_attstatsslot(&slot);
		}
		if (statistic(&column, STATISTIC_KIND_HISTOGRAM, ATTSTATSSLOT_VALUES, &slot))
		{
			share = share_of_sample(slot.values, slot.nvalues, circle,
									usual_share(&column, circle->radius));
			free_attstatsslot(&slot);
		}
		share = common + share * Max(rest, 0.0);
	}
	ReleaseVariableStats(column);
	CLAMP_PROBABILITY(share);
	return share;
}

/* The same of a circle whose radius alone is known. */
static double
radius_share(PlannerInfo *root, Node *position, int varRelid, double radius, double unknown)
{
	VariableStatData column;
	double share;

	examine_variable(root, position, varRelid, &column);
	share = usual_share(&column, radius);
	ReleaseVariableStats(column);
	if (share < 0.0)
		return unknown;
	CLAMP_PROBABILITY(share);
	return share;
}

/* The radius of geocircle(position, metres) when the metres are known. */
static bool
known_radius(PlannerInfo *root, Node *circle, double *radius)
{
	Node *metres;

	if (!IsA(circle, FuncExpr) || list_length(((FuncExpr *) circle)->args) != 2)
		return false;
	metres = estimate_expression_value(root, (Node *) lsecond(((FuncExpr *) circle)->args));
	if (!IsA(metres, Const) || ((Const *) metres)->constisnull ||
		((Const *) metres)->consttype != FLOAT8OID)
		return false;
	*radius = DatumGetFloat8(((Const *) metres)->constvalue);
	/* the call itself will say what is wrong with it */
	return *radius >= 0.0;
}

/* RESTRICT of "position <@ circle" and "circle @> position". */
Datum
o2o_geocircle_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	List *args = (List *) PG_GETARG_POINTER(2);
	int varRelid = PG_GETARG_INT32(3);
	double radius;

	for (int i = 0; i < 2 && list_length(args) == 2; i++)
	{
		Node *circle = estimate_expression_value(root, (Node *) list_nth(args, i));
		Node *position = (Node *) list_nth(args, 1 - i);

		if (known_radius(root, circle, &radius))
			PG_RETURN_FLOAT8(radius_share(root, position, varRelid, radius, UNKNOWN_SHARE));
		/* of the two types only the circle is passed by reference */
		if (!IsA(circle, Const) || get_typbyval(((Const *) circle)->consttype))
			continue;
		if (((Const *) circle)->constisnull)
			PG_RETURN_FLOAT8(0.0);
		PG_RETURN_FLOAT8(circle_share(root, position, varRelid,
									  DatumGetGeoCircle(((Const *) circle)->constvalue)));
	}
	PG_RETURN_FLOAT8(UNKNOWN_SHARE);
}

/* JOIN of the same operators. */
Datum
o2o_geocircle_joinsel(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(JOIN_SHARE);
}

/* The share of geo_dwithin(a, b, metres) when the metres are known, and perhaps one position. */
static double
dwithin_share(SupportRequestSelectivity *request)
{
	double unknown = request->is_join ? JOIN_SHARE : UNKNOWN_SHARE;
	Node *metres;
	O2oGeoCircle circle;

	if (list_length(request->args) != 3)
		return unknown;
	metres = estimate_expression_value(request->root, (Node *) lthird(request->args));
	if (!IsA(metres, Const))
		return unknown;
	if (((Const *) metres)->constisnull)
		return 0.0;
	circle.radius = DatumGetFloat8(((Const *) metres)->constvalue);
	/* the call itself will say what is wrong with it */
	if (!(circle.radius >= 0.0))
		return unknown;
	for (int i = 0; i < 2 && !request->is_join; i++)
	{
		Node *center =
			estimate_expression_value(request->root, (Node *) list_nth(request->args, i));

		if (!IsA(center, Const))
			continue;
		if (((Const *) center)->constisnull)
			return 0.0;
		circle.center = DatumGetGeoPoint(((Const *) center)->constvalue);
		return circle_share(request->root, (Node *) list_nth(request->args, 1 - i),
							request->varRelid, &circle);
	}
	/* of two columns the one with statistics; beside a parameter there is but one */
	unknown = radius_share(request->root, (Node *) lsecond(request->args), request->varRelid,
						   circle.radius, unknown);
	return radius_share(request->root, (Node *) linitial(request->args), request->varRelid,
						circle.radius, unknown);
}

/* The function of the schema of geo_dwithin that has this name and takes these two types. */
static Oid
sibling_function(Oid funcid, const char *name, Oid first, Oid second)
{
	Oid types[2] = {first, second};

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(types, 2)),
						   ObjectIdGetDatum(get_func_namespace(funcid)));
}

/* "position <@ geocircle(other, metres)", which says the same, for an index on the position. */
static List *
dwithin_condition(SupportRequestIndexCondition *request)
{
	FuncExpr *call = (FuncExpr *) request->node;
	Node *position;
	Node *other;
	Node *metres;
	FuncExpr *circle;
	Oid circle_type;
	Oid make;
	Oid operator;

	if (!IsA(call, FuncExpr) || list_length(call->args) != 3 || request->indexarg > 1)
		return NIL;
	position = (Node *) list_nth(call->args, request->indexarg);
	other = (Node *) list_nth(call->args, 1 - request->indexarg);
	metres = (Node *) lthird(call->args);
	if (!is_pseudo_constant_for_index(request->root, other, request->index) ||
		!is_pseudo_constant_for_index(request->root, metres, request->index))
		return NIL;

	make = sibling_function(request->funcid, "geocircle", exprType(position), FLOAT8OID);
	if (!OidIsValid(make))
		return NIL;
	circle_type = get_func_rettype(make);
	operator=
		get_opfamily_member(request->opfamily, exprType(position), circle_type, O2O_GEO_IN_CIRCLE);
	if (!OidIsValid(operator))
		return NIL;
	circle = makeFuncExpr(make, circle_type, list_make2(other, metres), InvalidOid, InvalidOid,
						  COERCE_EXPLICIT_CALL);
	request->lossy = false;
	return list_make1(make_opclause(operator, BOOLOID, false, (Expr *) position, (Expr *) circle,
									InvalidOid, InvalidOid));
}

Datum
o2o_geo_dwithin_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);

	if (IsA(request, SupportRequestSelectivity))
	{
		((SupportRequestSelectivity *) request)->selectivity =
			dwithin_share((SupportRequestSelectivity *) request);
		PG_RETURN_POINTER(request);
	}
	if (IsA(request, SupportRequestIndexCondition))
		PG_RETURN_POINTER(dwithin_condition((SupportRequestIndexCondition *) request));
	PG_RETURN_POINTER(NULL);
}
