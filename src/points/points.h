/*
 * points.h
 *		What other rooms and files may use of the points type: its Datum form
 *		and the one way to say that an amount is out of range.
 *		Integer arithmetic is in amount.h, the SQL functions in type.c.
 */
#ifndef O2O_POINTS_H
#define O2O_POINTS_H

#include "o2o.h"

#include "fmgr.h"
#include "nodes/nodes.h"
#include "points/amount.h"
#include "utils/numeric.h"

/* A points Datum is an int64 of units, passed by value as bigint is. */
#define DatumGetPoints(datum) DatumGetInt64(datum)
#define PointsGetDatum(units) Int64GetDatum(units)
#define PG_GETARG_POINTS(n) DatumGetPoints(PG_GETARG_DATUM(n))
#define PG_RETURN_POINTS(units) return PointsGetDatum(units)

extern Datum o2o_points_in(PG_FUNCTION_ARGS);
extern char *o2o_points_text(int64 units);
pg_noreturn extern void o2o_points_error_range(void);
extern int o2o_points_check_scale(int scale);
extern Datum o2o_points_constrained(int64 units, int32 typmod, Node *escontext);
extern int64 o2o_points_from_numeric_units(Datum value, o2o_points_fraction *rest);
extern o2o_points_fraction o2o_points_fraction_of(Datum rest, Datum whole);

#endif /* O2O_POINTS_H */
