/*
 * write_sql.c
 *		o2o.points_write() and o2o.points_post(): instructions from SQL to the
 *		writer of write.c, or to its twin o2o.points_write_sql() where the tables
 *		are not plain.
 */
#include "points/write.h"
#include "points/points.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_points_write_call);
PG_FUNCTION_INFO_V1(o2o_points_post_call);

/* The columns of an instruction, in the order of the arguments of points_write(). */
enum
{
	I_PROFILE_ID,
	I_ACCOUNT_ID,
	I_TRANSFER_ID,
	I_CONTRA_ACCOUNT_ID,
	I_OPERATION,
	I_EXPIRES_AT,
	I_GRANT_MONTH,
	I_FUNDING,
	I_AMOUNT,
	I_REQUEST_ID,
	I_ACTING_PROFILE_ID,
	I_CUSTOMER_ID,
	I_REFERENCE,
	I_REASON,
	I_OCCURRED_AT,
	I_REVERSES_TRANSFER_ID,
	I_COLUMNS
};

static const char *const column_names[I_COLUMNS] = {
	"profile_id", "account_id", "transfer_id",       "contra_account_id",
	"operation",  "expires_at", "grant_month",       "funding",
	"amount",     "request_id", "acting_profile_id", "customer_id",
	"reference",  "reason",     "occurred_at",       "reverses_transfer_id"};

/* Those that may be NULL. */
static bool
may_be_null(int column)
{
	return column == I_EXPIRES_AT || column == I_GRANT_MONTH || column == I_FUNDING ||
		   column == I_REFERENCE || column == I_REASON || column == I_REVERSES_TRANSFER_ID;
}

static const o2o_points_operation *
operation_named(Datum name)
{
	text *value = DatumGetTextPP(name);
	const o2o_points_operation *operation =
		o2o_points_operation_find(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));

	if (operation == NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("there is no points operation \"%s\"", text_to_cstring(value)),
						errhint("points_operation() lists them.")));
	return operation;
}

/* One instruction out of its columns. */
static void
instruction_of(o2o_points_instruction *instruction, const Datum *value, const bool *is_null)
{
	int lot_nulls = is_null[I_EXPIRES_AT] + is_null[I_GRANT_MONTH] + is_null[I_FUNDING];

	for (int i = 0; i < I_COLUMNS; i++)
	{
		if (is_null[i] &&
			(!may_be_null(i) || (lot_nulls % 3 != 0 && i >= I_EXPIRES_AT && i <= I_FUNDING)))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("a posting of points has no %s", column_names[i])));
	}
	instruction->profile_id = DatumGetInt64(value[I_PROFILE_ID]);
	instruction->account_id = DatumGetInt64(value[I_ACCOUNT_ID]);
	instruction->transfer_id = DatumGetInt64(value[I_TRANSFER_ID]);
	instruction->contra_account_id = DatumGetInt64(value[I_CONTRA_ACCOUNT_ID]);
	instruction->operation = operation_named(value[I_OPERATION]);
	instruction->has_lot = !is_null[I_EXPIRES_AT];
	instruction->expires_at = DatumGetTimestampTz(value[I_EXPIRES_AT]);
	instruction->grant_month = DatumGetDateADT(value[I_GRANT_MONTH]);
	instruction->funding = is_null[I_FUNDING] ? NULL : DatumGetTextPP(value[I_FUNDING]);
	instruction->amount = DatumGetPoints(value[I_AMOUNT]);
	instruction->request_id = *DatumGetUUIDP(value[I_REQUEST_ID]);
	instruction->acting_profile_id = DatumGetInt64(value[I_ACTING_PROFILE_ID]);
	instruction->customer_id = DatumGetInt64(value[I_CUSTOMER_ID]);
	instruction->reference = is_null[I_REFERENCE] ? NULL : DatumGetTextPP(value[I_REFERENCE]);
	instruction->reason = is_null[I_REASON] ? NULL : DatumGetTextPP(value[I_REASON]);
	instruction->occurred_at = DatumGetTimestampTz(value[I_OCCURRED_AT]);
	instruction->is_reversing = !is_null[I_REVERSES_TRANSFER_ID];
	instruction->reverses_transfer_id = DatumGetInt64(value[I_REVERSES_TRANSFER_ID]);
}

/* The type of o2o.points is made by this extension, its number is not known before. */
static Oid
points_type(void)
{
	Oid schema = get_namespace_oid("o2o", false);

	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("points"),
						   ObjectIdGetDatum(schema));
}

static Datum
array_of(Oid type, const Datum *values, const bool *nulls, int count)
{
	int16 length;
	bool by_value;
	char align;
	int lower = 1;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_md_array((Datum *) values, (bool *) nulls, 1, &count, &lower,
											  type, length, by_value, align));
}

/* The same by SQL: the instructions as parallel arrays. */
static void
write_by_sql(const o2o_points_instruction *instructions, int count)
{
	Oid type[I_COLUMNS] = {INT8OID, INT8OID, INT8OID,        INT8OID, TEXTOID, TIMESTAMPTZOID,
						   DATEOID, TEXTOID, points_type(),  UUIDOID, INT8OID, INT8OID,
						   TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID};
	Oid array_type[I_COLUMNS];
	Datum argument[I_COLUMNS];
	Datum *value = palloc(count * sizeof(Datum));
	bool *is_null = palloc(count * sizeof(bool));

	for (int column = 0; column < I_COLUMNS; column++)
	{
		for (int i = 0; i < count; i++)
		{
			const o2o_points_instruction *instruction = &instructions[i];
			Datum cell = (Datum) 0;
			bool null = false;

			switch (column)
			{
				case I_PROFILE_ID:
					cell = Int64GetDatum(instruction->profile_id);
					break;
				case I_ACCOUNT_ID:
					cell = Int64GetDatum(instruction->account_id);
					break;
				case I_TRANSFER_ID:
					cell = Int64GetDatum(instruction->transfer_id);
					break;
				case I_CONTRA_ACCOUNT_ID:
					cell = Int64GetDatum(instruction->contra_account_id);
					break;
				case I_OPERATION:
					cell = CStringGetTextDatum(instruction->operation->name);
					break;
				case I_EXPIRES_AT:
					cell = TimestampTzGetDatum(instruction->expires_at);
					null = !instruction->has_lot;
					break;
				case I_GRANT_MONTH:
					cell = DateADTGetDatum(instruction->grant_month);
					null = !instruction->has_lot;
					break;
				case I_FUNDING:
					cell = PointerGetDatum(instruction->funding);
					null = !instruction->has_lot;
					break;
				case I_AMOUNT:
					cell = PointsGetDatum(instruction->amount);
					break;
				case I_REQUEST_ID:
					cell = UUIDPGetDatum(&instruction->request_id);
					break;
				case I_ACTING_PROFILE_ID:
					cell = Int64GetDatum(instruction->acting_profile_id);
					break;
				case I_CUSTOMER_ID:
					cell = Int64GetDatum(instruction->customer_id);
					break;
				case I_REFERENCE:
					cell = PointerGetDatum(instruction->reference);
					null = instruction->reference == NULL;
					break;
				case I_REASON:
					cell = PointerGetDatum(instruction->reason);
					null = instruction->reason == NULL;
					break;
				case I_OCCURRED_AT:
					cell = TimestampTzGetDatum(instruction->occurred_at);
					break;
				case I_REVERSES_TRANSFER_ID:
					cell = Int64GetDatum(instruction->reverses_transfer_id);
					null = !instruction->is_reversing;
					break;
			}
			value[i] = cell;
			is_null[i] = null;
		}
		argument[column] = array_of(type[column], value, is_null, count);
		array_type[column] = get_array_type(type[column]);
	}
	SPI_connect();
	if (SPI_execute_with_args(
			"SELECT o2o.points_write_sql($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
			I_COLUMNS, array_type, argument, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "o2o.points_write_sql() cannot be called");
	SPI_finish();
}

/* Writes postings in their order, whatever the tables are. */
void
o2o_points_write(const o2o_points_instruction *instructions, int count)
{
	o2o_ledger *ledger;
	o2o_points_writer *writer;

	if (count == 0)
		return;
	ledger = o2o_ledger_open(LEDGER_FOR_POSTINGS);
	if (ledger == NULL)
	{
		write_by_sql(instructions, count);
		return;
	}
	writer = o2o_points_writer_begin(ledger, count);
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		o2o_points_writer_post(writer, &instructions[i]);
	}
	o2o_points_writer_end(writer);
	o2o_ledger_close(ledger);
}

/* An array argument as its elements; none where it is NULL. */
static int
elements(FunctionCallInfo fcinfo, int number, Datum **values, bool **nulls)
{
	ArrayType *array;
	int16 length;
	bool by_value;
	char align;
	int count;

	/* array_agg() over nothing */
	if (PG_ARGISNULL(number))
		return 0;
	array = PG_GETARG_ARRAYTYPE_P(number);
	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, values, nulls, &count);
	return count;
}

Datum
o2o_points_write_call(PG_FUNCTION_ARGS)
{
	Datum *values[I_COLUMNS];
	bool *nulls[I_COLUMNS];
	int count = 0;
	o2o_points_instruction *instructions;

	for (int column = 0; column < I_COLUMNS; column++)
	{
		int found = elements(fcinfo, column, &values[column], &nulls[column]);

		if (column == 0)
			count = found;
		else if (found != count)
			ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
							errmsg("postings of points need arrays of one length"),
							errdetail("%s has %d elements, %s has %d.", column_names[0], count,
									  column_names[column], found)));
	}
	instructions = MemoryContextAllocHuge(CurrentMemoryContext,
										  Max(count, 1) * sizeof(o2o_points_instruction));
	for (int i = 0; i < count; i++)
	{
		Datum value[I_COLUMNS];
		bool is_null[I_COLUMNS];

		for (int column = 0; column < I_COLUMNS; column++)
		{
			value[column] = values[column][i];
			is_null[column] = nulls[column][i];
		}
		instruction_of(&instructions[i], value, is_null);
	}
	o2o_points_write(instructions, count);
	PG_RETURN_VOID();
}

/* The same for one account: arguments as of points_write(), arrays where the lots differ. */
Datum
o2o_points_post_call(PG_FUNCTION_ARGS)
{
	Datum *values[I_COLUMNS] = {NULL};
	bool *nulls[I_COLUMNS] = {NULL};
	Datum value[I_COLUMNS];
	bool is_null[I_COLUMNS];
	int count = 0;
	o2o_points_instruction *instructions;

	/* points_post() has its columns in this order. */
	for (int column = 0; column < I_COLUMNS; column++)
	{
		if (column >= I_EXPIRES_AT && column <= I_AMOUNT)
		{
			int found = elements(fcinfo, column, &values[column], &nulls[column]);

			if (column == I_EXPIRES_AT)
				count = found;
			else if (found != count)
				ereport(ERROR,
						(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						 errmsg("postings of points need arrays of one length"),
						 errdetail("%s has %d elements, %s has %d.", column_names[I_EXPIRES_AT],
								   count, column_names[column], found)));
		}
		else
		{
			value[column] = PG_GETARG_DATUM(column);
			is_null[column] = PG_ARGISNULL(column);
		}
	}
	instructions = palloc(Max(count, 1) * sizeof(o2o_points_instruction));
	for (int i = 0; i < count; i++)
	{
		for (int column = I_EXPIRES_AT; column <= I_AMOUNT; column++)
		{
			value[column] = values[column][i];
			is_null[column] = nulls[column][i];
		}
		instruction_of(&instructions[i], value, is_null);
	}
	o2o_points_write(instructions, count);
	PG_RETURN_VOID();
}
