/*
 * verify.c
 *		points_verify(), the reading side: rows of accounts, lots, portions of
 *		holds and postings come from a cursor in the order of accounts and
 *		versions and go to verify_account.c. The queries, and the checks that need
 *		no order (transfers, holds, reserve), are in sql/model/33_points_verify.sql.
 *
 * The server sorts, within work_mem or on disk, and pushes each row into a
 * receiver: nothing is kept but the account that passes by, and one entry for
 * each account that is the other side of postings.
 */
#include "points/verify.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_points_verify_pass);

/* What a row of the pass is, in the order in which they come within an account. */
enum
{
	PLACE_ACCOUNT = 1,
	PLACE_LOT,
	PLACE_BASE_ACCOUNT, /* of a snapshot: what the postings before it came to */
	PLACE_BASE_LOT,
	PLACE_HOLD_PART,
	PLACE_POSTING
};

/* Columns of the pass. The amounts are those of the row's table. */
enum
{
	PASS_PROFILE,
	PASS_ACCOUNT,
	PASS_PLACE,
	PASS_VERSION,
	PASS_EXPIRES_AT,
	PASS_GRANT_MONTH,
	PASS_FUNDING,
	PASS_AMOUNTS,
	PASS_POSTED_AT = PASS_AMOUNTS + 6,
	PASS_OPERATION, /* of an account its program */
	PASS_KIND,
	PASS_TRANSFER,
	PASS_CONTRA,
	PASS_SEQ,
	PASS_CHAIN,
	PASS_REQUEST, /* from here on only what a link covers besides */
	PASS_ACTING,
	PASS_CUSTOMER,
	PASS_REFERENCE,
	PASS_OCCURRED_AT,
	PASS_POSTED_BY,
	PASS_REVERSES,
	PASS_COLUMNS
};

/* Columns of the accounts that are the other side of postings. */
enum
{
	OTHER_ACCOUNT,
	OTHER_PROGRAM,
	OTHER_KIND,
	OTHER_ROLLUP,
	OTHER_BASE, /* of a snapshot: what it had then */
	OTHER_COLUMNS
};

/* Stands for the type of points in the lists below, whose number is not fixed. */
#define POINTS_TYPE InvalidOid

static const Oid pass_types[PASS_COLUMNS] = {
	INT8OID,        INT8OID,        INT4OID,     INT8OID,     TIMESTAMPTZOID, DATEOID,
	TEXTOID,        POINTS_TYPE,    POINTS_TYPE, POINTS_TYPE, POINTS_TYPE,    POINTS_TYPE,
	POINTS_TYPE,    TIMESTAMPTZOID, TEXTOID,     TEXTOID,     INT8OID,        INT8OID,
	INT8OID,        BYTEAOID,       UUIDOID,     INT8OID,     INT8OID,        TEXTOID,
	TIMESTAMPTZOID, TEXTOID,        INT8OID,
};
static const Oid other_types[OTHER_COLUMNS] = {INT8OID, TEXTOID, TEXTOID, NUMERICOID, NUMERICOID};

/* Columns that are not NULL in a row of the pass, by its place; in all of them the first three are not. */
#define HAS(column) (1U << (column))
#define HAS_LOT (HAS(PASS_EXPIRES_AT) | HAS(PASS_GRANT_MONTH) | HAS(PASS_FUNDING))
#define HAS_AMOUNTS(count) (((1U << (count)) - 1) << PASS_AMOUNTS)
static const uint32 pass_needs[] = {
	[PLACE_ACCOUNT] = HAS(PASS_VERSION) | HAS_AMOUNTS(3) | HAS(PASS_POSTED_AT) |
					  HAS(PASS_OPERATION) | HAS(PASS_KIND),
	[PLACE_LOT] = HAS_LOT | HAS_AMOUNTS(6),
	[PLACE_BASE_ACCOUNT] = HAS(PASS_VERSION) | HAS_AMOUNTS(2) | HAS(PASS_POSTED_AT),
	[PLACE_BASE_LOT] = HAS_LOT | HAS_AMOUNTS(4),
	[PLACE_HOLD_PART] = HAS_LOT | HAS_AMOUNTS(1),
	[PLACE_POSTING] = HAS(PASS_VERSION) | HAS_AMOUNTS(2) | HAS(PASS_POSTED_AT) |
					  HAS(PASS_OPERATION) | HAS(PASS_TRANSFER) | HAS(PASS_CONTRA) | HAS(PASS_SEQ),
};
#define POSTING_LINK_NEEDS                                                               \
	(HAS(PASS_REQUEST) | HAS(PASS_ACTING) | HAS(PASS_CUSTOMER) | HAS(PASS_OCCURRED_AT) | \
	 HAS(PASS_POSTED_BY))
#define OTHER_NEEDS (HAS(OTHER_ACCOUNT) | HAS(OTHER_PROGRAM) | HAS(OTHER_KIND))

/* A receiver of rows, which hands them to a function. */
typedef struct verify_receiver
{
	DestReceiver receiver;
	o2o_verify *verify;
	const Oid *types;
	int columns;
	void (*take)(o2o_verify *verify, const Datum *values, const bool *nulls);
} verify_receiver;

static void receiver_start(DestReceiver *self, int operation, TupleDesc desc);
static bool receiver_take(TupleTableSlot *slot, DestReceiver *self);
static void receiver_nothing(DestReceiver *self);
static void read_cursor(o2o_verify *verify, const char *name, const Oid *types, int columns,
						void (*take)(o2o_verify *, const Datum *, const bool *));
static void take_other(o2o_verify *verify, const Datum *values, const bool *nulls);
static void take_pass(o2o_verify *verify, const Datum *values, const bool *nulls);
static void take_account(o2o_verify *verify, const Datum *values, const bool *nulls);
static void take_base_account(o2o_verify *verify, const Datum *values, const bool *nulls);
static void take_lot(o2o_verify *verify, const Datum *values, bool is_row);
static void take_hold_part(o2o_verify *verify, const Datum *values);
static void take_posting(o2o_verify *verify, const Datum *values, const bool *nulls);

/* The checks over the rows of two cursors; one row for each thing that is wrong. */
Datum
o2o_points_verify_pass(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "points_verify", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before;
	o2o_verify *verify;
	HASHCTL shape = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("only the program may be NULL")));
	InitMaterializedSRF(fcinfo, 0);

	before = MemoryContextSwitchTo(context);
	verify = palloc0(sizeof(o2o_verify));
	verify->found = result->setResult;
	verify->found_desc = result->setDesc;
	verify->context = context;
	verify->account_context =
		AllocSetContextCreate(context, "points_verify account", ALLOCSET_DEFAULT_SIZES);
	verify->horizon = PG_GETARG_INT64(2);
	verify->wanted = -1;
	if (!PG_ARGISNULL(4))
	{
		text *program = PG_GETARG_TEXT_PP(4);

		verify->wanted =
			o2o_verify_program_of(verify, VARDATA_ANY(program), VARSIZE_ANY_EXHDR(program));
	}
	if (PG_GETARG_BOOL(3))
		verify->chain = o2o_points_chain_begin();
	verify->lot_space = 16;
	verify->lots = palloc(sizeof(o2o_verify_lot) * verify->lot_space);
	shape.keysize = sizeof(int64);
	shape.entrysize = sizeof(o2o_verify_contra);
	shape.hcxt = context;
	verify->contras = hash_create("points_verify other sides", 256, &shape,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	o2o_verify_set_kinds(verify);

	read_cursor(verify, text_to_cstring(PG_GETARG_TEXT_PP(1)), other_types, OTHER_COLUMNS,
				take_other);
	read_cursor(verify, text_to_cstring(PG_GETARG_TEXT_PP(0)), pass_types, PASS_COLUMNS, take_pass);
	o2o_verify_account_end(verify);
	o2o_verify_totals(verify);

	if (verify->chain)
		o2o_points_chain_end(verify->chain);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(context);
	return (Datum) 0;
}

/* All rows of an open cursor, pushed as the executor makes them. */
static void
read_cursor(o2o_verify *verify, const char *name, const Oid *types, int columns,
			void (*take)(o2o_verify *, const Datum *, const bool *))
{
	Portal portal = GetPortalByName(name);
	verify_receiver receiver = {
		{receiver_take, receiver_start, receiver_nothing, receiver_nothing, DestNone},
		verify,
		types,
		columns,
		take};

	if (!PortalIsValid(portal))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_CURSOR), errmsg("cursor \"%s\" does not exist", name)));
	PortalRunFetch(portal, FETCH_FORWARD, FETCH_ALL, &receiver.receiver);
}

/* Any cursor may be given: its columns must be what is read of them. */
static void
receiver_start(DestReceiver *self, int operation, TupleDesc desc)
{
	verify_receiver *receiver = (verify_receiver *) self;

	if (desc->natts != receiver->columns)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("cursor has %d columns instead of %d", desc->natts, receiver->columns)));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		/* Points are any type that lies in a row as bigint does. */
		if (receiver->types[i] == POINTS_TYPE ? !column->attbyval || column->attlen != sizeof(int64)
											  : column->atttypid != receiver->types[i])
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("column %d of the cursor has another type", i + 1)));
	}
}

static bool
receiver_take(TupleTableSlot *slot, DestReceiver *self)
{
	verify_receiver *receiver = (verify_receiver *) self;
	MemoryContext before = MemoryContextSwitchTo(receiver->verify->account_context);

	slot_getallattrs(slot);
	receiver->take(receiver->verify, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(before);
	return true;
}

static void
receiver_nothing(DestReceiver *self)
{
}

/* A text as it lies in the row. */
static inline const char *
text_of(Datum value, int *length)
{
	text *packed = DatumGetTextPP(value);

	*length = VARSIZE_ANY_EXHDR(packed);
	return VARDATA_ANY(packed);
}

/* The tables have these columns NOT NULL; any cursor may not. */
static void
need(const bool *nulls, uint32 columns)
{
	for (int i = 0; columns >> i; i++)
		if (((columns >> i) & 1) && nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("column %d of the cursor is NULL", i + 1)));
}

/* A total in units: a numeric of at most 34 digits before the point and 4 after it. */
static o2o_int128
units_of(Datum total)
{
	const char *digit = DatumGetCString(DirectFunctionCall1(numeric_out, total));
	bool is_negative = *digit == '-';
	int places = -1;
	o2o_int128 units = 0;

	for (digit += is_negative; *digit != '\0' && places < 4; digit++)
	{
		if (*digit == '.')
			places = 0;
		else
		{
			if (*digit < '0' || *digit > '9')
				ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
								errmsg("a total of points is not a number")));
			units = units * 10 + (*digit - '0');
			places += places >= 0;
		}
	}
	for (places = Max(places, 0); places < 4; places++)
		units *= 10;
	return is_negative ? -units : units;
}

static void
take_other(o2o_verify *verify, const Datum *values, const bool *nulls)
{
	int64 account_id = DatumGetInt64(values[OTHER_ACCOUNT]);
	o2o_verify_contra *other;
	int length;
	const char *name;

	need(nulls, OTHER_NEEDS);
	other = hash_search(verify->contras, &account_id, HASH_ENTER, NULL);
	name = text_of(values[OTHER_PROGRAM], &length);
	other->program = o2o_verify_program_of(verify, name, length);
	name = text_of(values[OTHER_KIND], &length);
	other->kind = o2o_verify_kind_of(verify, name, length);
	other->rollup = nulls[OTHER_ROLLUP] ? 0 : units_of(values[OTHER_ROLLUP]);
	other->total = nulls[OTHER_BASE] ? 0 : units_of(values[OTHER_BASE]);
	other->above = 0;
}

static void
take_pass(o2o_verify *verify, const Datum *values, const bool *nulls)
{
	int64 profile_id = DatumGetInt64(values[PASS_PROFILE]);
	int64 account_id = DatumGetInt64(values[PASS_ACCOUNT]);
	int place = DatumGetInt32(values[PASS_PLACE]);

	need(nulls, HAS(PASS_PROFILE) | HAS(PASS_ACCOUNT) | HAS(PASS_PLACE));
	if (place < PLACE_ACCOUNT || place > PLACE_POSTING)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("row of unknown kind %d", place)));
	need(nulls, pass_needs[place]);
	if (!verify->is_open || verify->profile_id != profile_id || verify->account_id != account_id)
	{
		o2o_verify_account_end(verify);
		o2o_verify_account_begin(verify, profile_id, account_id);
	}
	switch (place)
	{
		case PLACE_ACCOUNT:
			take_account(verify, values, nulls);
			break;
		case PLACE_LOT:
			take_lot(verify, values, true);
			break;
		case PLACE_BASE_ACCOUNT:
			take_base_account(verify, values, nulls);
			break;
		case PLACE_BASE_LOT:
			take_lot(verify, values, false);
			break;
		case PLACE_HOLD_PART:
			take_hold_part(verify, values);
			break;
		case PLACE_POSTING:
			take_posting(verify, values, nulls);
			break;
	}
}

/* A link as it lies in the row; whether it has the size of one. */
static bool
link_of(Datum value, const uint8 **link)
{
	bytea *packed = DatumGetByteaPP(value);

	*link = (const uint8 *) VARDATA_ANY(packed);
	return VARSIZE_ANY_EXHDR(packed) == O2O_POINTS_LINK_SIZE;
}

static void
take_account(o2o_verify *verify, const Datum *values, const bool *nulls)
{
	o2o_verify_row *row = &verify->row;
	const uint8 *link;
	const char *name;
	int length;

	verify->has_row = true;
	name = text_of(values[PASS_OPERATION], &length);
	row->program = o2o_verify_program_of(verify, name, length);
	name = text_of(values[PASS_KIND], &length);
	row->kind = o2o_verify_kind_of(verify, name, length);
	row->version = DatumGetInt64(values[PASS_VERSION]);
	row->balance = DatumGetPoints(values[PASS_AMOUNTS]);
	row->debt = DatumGetPoints(values[PASS_AMOUNTS + 1]);
	row->held = DatumGetPoints(values[PASS_AMOUNTS + 2]);
	row->posted_at = DatumGetTimestampTz(values[PASS_POSTED_AT]);
	row->is_chained = !nulls[PASS_CHAIN];
	if (row->is_chained)
	{
		row->has_link = link_of(values[PASS_CHAIN], &link);
		if (row->has_link)
			memcpy(row->link, link, O2O_POINTS_LINK_SIZE);
	}
}

/* What a snapshot says of the account stands for the postings up to its version. */
static void
take_base_account(o2o_verify *verify, const Datum *values, const bool *nulls)
{
	o2o_verify_running *running = &verify->running;
	const uint8 *link;

	running->version = DatumGetInt64(values[PASS_VERSION]);
	running->balance = DatumGetPoints(values[PASS_AMOUNTS]);
	running->debt = DatumGetPoints(values[PASS_AMOUNTS + 1]);
	running->posted_at = DatumGetTimestampTz(values[PASS_POSTED_AT]);
	verify->base_version = running->version;
	running->has_link = !nulls[PASS_CHAIN] && link_of(values[PASS_CHAIN], &link);
	if (running->has_link)
		memcpy(running->link, link, O2O_POINTS_LINK_SIZE);
}

static void
take_lot(o2o_verify *verify, const Datum *values, bool is_row)
{
	int length;
	const char *funding = text_of(values[PASS_FUNDING], &length);
	o2o_verify_lot *lot =
		o2o_verify_lot_of(verify, DatumGetTimestampTz(values[PASS_EXPIRES_AT]),
						  DatumGetDateADT(values[PASS_GRANT_MONTH]), funding, length, is_row);

	for (int i = 0; i < 4; i++)
	{
		int64 amount = DatumGetPoints(values[PASS_AMOUNTS + i]);

		if (is_row)
			lot->row[POINTS_GRANTED + i] = amount;
		else
			lot->posted[POINTS_GRANTED + i] = amount;
	}
	if (is_row)
	{
		lot->remaining = DatumGetPoints(values[PASS_AMOUNTS + 4]);
		lot->held = DatumGetPoints(values[PASS_AMOUNTS + 5]);
	}
}

static void
take_hold_part(o2o_verify *verify, const Datum *values)
{
	int length;
	const char *funding = text_of(values[PASS_FUNDING], &length);
	o2o_verify_lot *lot =
		o2o_verify_lot_of(verify, DatumGetTimestampTz(values[PASS_EXPIRES_AT]),
						  DatumGetDateADT(values[PASS_GRANT_MONTH]), funding, length, false);

	lot->parts += DatumGetPoints(values[PASS_AMOUNTS]);
	verify->parts += DatumGetPoints(values[PASS_AMOUNTS]);
}

static void
take_posting(o2o_verify *verify, const Datum *values, const bool *nulls)
{
	o2o_verify_posting posting;
	o2o_points_chained *columns = &posting.columns;

	columns->profile_id = verify->profile_id;
	columns->account_id = verify->account_id;
	columns->version = DatumGetInt64(values[PASS_VERSION]);
	columns->transfer_id = DatumGetInt64(values[PASS_TRANSFER]);
	columns->contra_account_id = DatumGetInt64(values[PASS_CONTRA]);
	columns->operation = text_of(values[PASS_OPERATION], &columns->operation_length);
	columns->amount = DatumGetPoints(values[PASS_AMOUNTS]);
	columns->balance = DatumGetPoints(values[PASS_AMOUNTS + 1]);
	posting.lot_nulls = nulls[PASS_EXPIRES_AT] + nulls[PASS_GRANT_MONTH] + nulls[PASS_FUNDING];
	columns->has_lot = posting.lot_nulls == 0;
	if (columns->has_lot)
	{
		columns->expires_at = DatumGetTimestampTz(values[PASS_EXPIRES_AT]);
		columns->grant_month = DatumGetDateADT(values[PASS_GRANT_MONTH]);
		columns->funding = text_of(values[PASS_FUNDING], &columns->funding_length);
	}
	columns->posted_at = DatumGetTimestampTz(values[PASS_POSTED_AT]);
	columns->seq = DatumGetInt64(values[PASS_SEQ]);
	posting.has_link = !nulls[PASS_CHAIN];
	posting.is_link_sized = posting.has_link && link_of(values[PASS_CHAIN], &posting.link);
	if (posting.has_link && verify->chain)
	{
		need(nulls, POSTING_LINK_NEEDS);
		columns->request_id = DatumGetUUIDP(values[PASS_REQUEST]);
		columns->acting_profile_id = DatumGetInt64(values[PASS_ACTING]);
		columns->customer_id = DatumGetInt64(values[PASS_CUSTOMER]);
		columns->reference = nulls[PASS_REFERENCE]
								 ? NULL
								 : text_of(values[PASS_REFERENCE], &columns->reference_length);
		columns->occurred_at = DatumGetTimestampTz(values[PASS_OCCURRED_AT]);
		columns->posted_by = text_of(values[PASS_POSTED_BY], &columns->posted_by_length);
		columns->is_reversing = !nulls[PASS_REVERSES];
		columns->reverses_transfer_id = DatumGetInt64(values[PASS_REVERSES]);
	}
	o2o_verify_account_posting(verify, &posting);
}
