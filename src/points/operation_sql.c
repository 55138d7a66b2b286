/*
 * operation_sql.c
 *		o2o.points_operation(): the table of operation.c as rows.
 */
#include "points/operation.h"
#include "points/points.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_points_operation_rows);

Datum
o2o_points_operation_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < o2o_points_operation_count; i++)
	{
		const o2o_points_operation *operation = &o2o_points_operations[i];
		const char *above = o2o_points_effect_name(operation->lot_above_zero);
		const char *below = o2o_points_effect_name(operation->lot_below_zero);
		Datum kinds[lengthof(operation->contra_kinds)];
		int count = 0;
		Datum values[7];
		bool nulls[7] = {false};

		for (; count < lengthof(operation->contra_kinds) && operation->contra_kinds[count] != NULL;
			 count++)
			kinds[count] = CStringGetTextDatum(operation->contra_kinds[count]);
		values[0] = CStringGetTextDatum(operation->name);
		values[1] =
			PointerGetDatum(construct_array(kinds, count, TEXTOID, -1, false, TYPALIGN_INT));
		values[2] = BoolGetDatum(operation->above_zero);
		values[3] = BoolGetDatum(operation->below_zero);
		values[4] = above ? CStringGetTextDatum(above) : (Datum) 0;
		nulls[4] = above == NULL;
		values[5] = below ? CStringGetTextDatum(below) : (Datum) 0;
		nulls[5] = below == NULL;
		values[6] = BoolGetDatum(operation->owes);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
