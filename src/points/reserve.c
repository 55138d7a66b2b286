/*
 * reserve.c
 *		What requests issued in programs whose reserve is enforced is drawn from
 *		it, once a call and program. The rule is points_reserve_draw() in SQL.
 */
#include "points/party.h"
#include "points/points.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"

/* After all else is posted and locked; error O2305 where a reserve does not suffice. */
void
o2o_points_reserve_draw(List *programs)
{
	Datum *names = palloc(list_length(programs) * sizeof(Datum));
	Datum *amounts = palloc(list_length(programs) * sizeof(Datum));
	int count = 0;
	ListCell *cell;
	Oid types[2] = {TEXTARRAYOID, INT8ARRAYOID};
	Datum arguments[2];

	foreach (cell, programs)
	{
		const o2o_points_program *program = lfirst(cell);

		if (program->issued == 0)
			continue;
		names[count] = PointerGetDatum(program->name);
		amounts[count++] = Int64GetDatum(program->issued);
	}
	if (count == 0)
		return;
	arguments[0] = PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
	arguments[1] = PointerGetDatum(
		construct_array(amounts, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	SPI_connect();
	if (SPI_execute_with_args("SELECT o2o.points_reserve_draw_all($1, $2)", 2, types, arguments,
							  NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "o2o.points_reserve_draw_all() cannot be called");
	SPI_finish();
}
