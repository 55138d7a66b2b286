/*
 * post_one.c
 *		o2o.points_post_one(): a single earn, burn, payment or transfer, with its
 *		idempotency key. How keys are claimed is src/base/request.c's, what is posted
 *		request.c's; what that leaves or refuses goes to points_post_single() in SQL,
 *		which also says what is wrong.
 */
#include "points/request.h"
#include "points/points.h"

#include "base/request.h"
#include "identity/identity.h"

#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(o2o_points_payload_call);
PG_FUNCTION_INFO_V1(o2o_points_post_one_call);

/* What a key stands for. NULL: not given, or not asked by the operation. */
typedef struct points_payload
{
	char *operation;
	char *person; /* as the caller gave it */
	char *counterparty;
	char *amount;
	char *program;
	char *reference;
	char *reason;
	char *occurred_at; /* microseconds, as all times */
	char *funding;
	char *activate_at;
} points_payload;

/* The arguments of o2o.points_post_one(). */
enum
{
	P_OPERATION,
	P_IDENTIFIER,
	P_PERSON,
	P_COUNTERPARTY_IDENTIFIER,
	P_COUNTERPARTY,
	P_AMOUNT,
	P_PROGRAM,
	P_REFERENCE,
	P_REASON,
	P_KEY,
	P_OCCURRED_AT,
	P_FUNDING,
	P_ACTIVATE_AT,
	P_ARGUMENTS
};

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static char *
amount_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : o2o_points_text(PG_GETARG_POINTS(n));
}

static char *
time_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : psprintf(INT64_FORMAT, PG_GETARG_TIMESTAMPTZ(n));
}

/* A retry that leaves occurred_at out has another now(): its default is no argument. */
static char *
moment_argument(FunctionCallInfo fcinfo, int n)
{
	if (!PG_ARGISNULL(n) && PG_GETARG_TIMESTAMPTZ(n) == GetCurrentTransactionStartTimestamp())
		return NULL;
	return time_argument(fcinfo, n);
}

/* A person by identifier, or else by id. */
static char *
person_argument(FunctionCallInfo fcinfo, int identifier, int id)
{
	if (!PG_ARGISNULL(identifier))
		return text_argument(fcinfo, identifier);
	return PG_ARGISNULL(id) ? NULL : psprintf(INT64_FORMAT, PG_GETARG_INT64(id));
}

static void
add(StringInfo json, const char *name, const char *value)
{
	appendStringInfoString(json, json->len == 0 ? "{" : ", ");
	escape_json(json, name);
	appendStringInfoString(json, ": ");
	if (value == NULL)
		appendStringInfoString(json, "null");
	else
		escape_json(json, value);
}

static char *
json_of(const points_payload *payload)
{
	StringInfoData json;

	initStringInfo(&json);
	add(&json, "operation", payload->operation);
	add(&json, "person", payload->person);
	add(&json, "counterparty", payload->counterparty);
	add(&json, "amount", payload->amount);
	add(&json, "program", payload->program);
	add(&json, "reference", payload->reference);
	add(&json, "reason", payload->reason);
	if (payload->operation != NULL && strcmp(payload->operation, "earn") == 0)
	{
		add(&json, "occurred_at", payload->occurred_at);
		add(&json, "funding", payload->funding);
		add(&json, "activate_at", payload->activate_at);
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* points_payload(operation, person, counterparty, amount, program, reference, reason, occurred_at, funding, activate_at) */
Datum
o2o_points_payload_call(PG_FUNCTION_ARGS)
{
	points_payload payload = {
		.operation = text_argument(fcinfo, 0),
		.person = text_argument(fcinfo, 1),
		.counterparty = text_argument(fcinfo, 2),
		.amount = amount_argument(fcinfo, 3),
		.program = text_argument(fcinfo, 4),
		.reference = text_argument(fcinfo, 5),
		.reason = text_argument(fcinfo, 6),
		.occurred_at = moment_argument(fcinfo, 7),
		.funding = text_argument(fcinfo, 8),
		.activate_at = time_argument(fcinfo, 9),
	};

	PG_RETURN_TEXT_P(cstring_to_text(json_of(&payload)));
}

/* Claims the key; the first answer where there was one. */
static Jsonb *
claim(FunctionCallInfo fcinfo, pg_uuid_t *id)
{
	points_payload payload = {
		.operation = text_argument(fcinfo, P_OPERATION),
		.person = person_argument(fcinfo, P_IDENTIFIER, P_PERSON),
		.counterparty = person_argument(fcinfo, P_COUNTERPARTY_IDENTIFIER, P_COUNTERPARTY),
		.amount = amount_argument(fcinfo, P_AMOUNT),
		.program = text_argument(fcinfo, P_PROGRAM),
		.reference = text_argument(fcinfo, P_REFERENCE),
		.reason = text_argument(fcinfo, P_REASON),
		.occurred_at = moment_argument(fcinfo, P_OCCURRED_AT),
		.funding = text_argument(fcinfo, P_FUNDING),
		.activate_at = time_argument(fcinfo, P_ACTIVATE_AT),
	};

	return o2o_request_claim(PG_GETARG_TEXT_PP(P_KEY),
							 cstring_to_text(psprintf("points_%s", payload.operation)),
							 json_of(&payload), id);
}

/* The profile of a person; *is_null where nobody was given, or nobody is known by the identifier. */
static Datum
profile_argument(FunctionCallInfo fcinfo, int identifier, int id, bool *is_null)
{
	int64 profile_id;

	if (PG_ARGISNULL(identifier))
	{
		*is_null = PG_ARGISNULL(id);
		return PG_GETARG_DATUM(id);
	}
	*is_null = !o2o_identifier_profile_at(
		PG_GETARG_DATUM(identifier), GetCurrentTransactionStartTimestamp(), false, &profile_id);
	return Int64GetDatum(*is_null ? 0 : profile_id);
}

/* Whether all that the call asks for is a matter of request.c. */
static bool
is_plain(FunctionCallInfo fcinfo)
{
	static const char program[] = "program";
	text *funding = PG_ARGISNULL(P_FUNDING) ? NULL : PG_GETARG_TEXT_PP(P_FUNDING);

	return funding != NULL && VARSIZE_ANY_EXHDR(funding) == strlen(program) &&
		   memcmp(VARDATA_ANY(funding), program, strlen(program)) == 0 &&
		   PG_ARGISNULL(P_ACTIVATE_AT);
}

/* Posts the request without SQL; false: it is for SQL. */
static bool
post_in_place(FunctionCallInfo fcinfo, const pg_uuid_t *id, o2o_points_request *request)
{
	static const int place[R_COLUMNS] = {
		[R_OPERATION] = P_OPERATION, [R_PROFILE_ID] = -1,   [R_COUNTER_PROFILE_ID] = -1,
		[R_PROGRAM] = P_PROGRAM,     [R_AMOUNT] = P_AMOUNT, [R_REQUEST_ID] = -1,
		[R_REFERENCE] = P_REFERENCE, [R_REASON] = P_REASON, [R_OCCURRED_AT] = P_OCCURRED_AT};
	Datum value[R_COLUMNS];
	bool is_null[R_COLUMNS];

	if (!is_plain(fcinfo))
		return false;
	for (int column = 0; column < R_COLUMNS; column++)
	{
		if (place[column] < 0)
			continue;
		value[column] = PG_GETARG_DATUM(place[column]);
		is_null[column] = PG_ARGISNULL(place[column]);
	}
	value[R_REQUEST_ID] = UUIDPGetDatum(id);
	is_null[R_REQUEST_ID] = false;
	value[R_PROFILE_ID] = profile_argument(fcinfo, P_IDENTIFIER, P_PERSON, &is_null[R_PROFILE_ID]);
	value[R_COUNTER_PROFILE_ID] = profile_argument(fcinfo, P_COUNTERPARTY_IDENTIFIER,
												   P_COUNTERPARTY, &is_null[R_COUNTER_PROFILE_ID]);
	o2o_points_request_of(request, value, is_null);
	o2o_points_execute(request, 1);
	return request->outcome == REQUEST_DONE;
}

/* The same by the functions in SQL, which say what is wrong as well. */
static Datum
post_in_sql(FunctionCallInfo fcinfo, const pg_uuid_t *id)
{
	static SPIPlanPtr plan = NULL;
	Datum value[P_ARGUMENTS];
	char nulls[P_ARGUMENTS];
	bool is_null;
	Datum result;

	SPI_connect();
	if (plan == NULL)
	{
		Oid types[P_ARGUMENTS];
		SPIPlanPtr made;

		for (int i = 0; i < P_ARGUMENTS; i++)
			types[i] = i == P_KEY ? UUIDOID : get_fn_expr_argtype(fcinfo->flinfo, i);
		made = SPI_prepare("SELECT o2o.points_post_single($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
						   " $11, $12, $13)",
						   P_ARGUMENTS, types);
		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "o2o.points_post_single() cannot be prepared");
		plan = made;
	}
	for (int i = 0; i < P_ARGUMENTS; i++)
	{
		value[i] = i == P_KEY ? UUIDPGetDatum(id) : PG_GETARG_DATUM(i);
		nulls[i] = i != P_KEY && PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (SPI_execute_plan(plan, value, nulls, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "o2o.points_post_single() cannot be called");
	result = SPI_datumTransfer(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null), false, -1);
	SPI_finish();
	return result;
}

/* A row of the result type: a named one, whose shape is cached; that of a record is made for each call. */
static Datum
answer(FunctionCallInfo fcinfo, int64 transfer_id, int64 balance)
{
	TupleDesc shape = lookup_rowtype_tupdesc(get_fn_expr_rettype(fcinfo->flinfo), -1);
	Datum values[2] = {Int64GetDatum(transfer_id), PointsGetDatum(balance)};
	bool is_null[2] = {false, false};
	HeapTuple row = heap_form_tuple(shape, values, is_null);

	ReleaseTupleDesc(shape);
	return HeapTupleGetDatum(row);
}

/* The first answer, out of what was kept. */
static Datum
answer_again(FunctionCallInfo fcinfo, Jsonb *replay)
{
	JsonbValue *transfer =
		getKeyJsonValueFromContainer(&replay->root, "transfer_id", strlen("transfer_id"), NULL);
	JsonbValue *balance =
		getKeyJsonValueFromContainer(&replay->root, "balance", strlen("balance"), NULL);

	if (transfer == NULL || transfer->type != jbvNumeric || balance == NULL ||
		balance->type != jbvString)
		elog(ERROR, "the answer of the request was not kept");
	return answer(
		fcinfo,
		DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(transfer->val.numeric))),
		DatumGetPoints(DirectFunctionCall3(
			o2o_points_in,
			CStringGetDatum(pnstrdup(balance->val.string.val, balance->val.string.len)),
			ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1))));
}

/* Keeps the answer, for who comes again with the key. */
static void
keep(const pg_uuid_t *id, Datum posted)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(posted);
	bool is_null;
	int64 transfer_id = DatumGetInt64(GetAttributeByNum(row, 1, &is_null));
	int64 balance = DatumGetPoints(GetAttributeByNum(row, 2, &is_null));
	char *json = psprintf("{\"balance\": \"%s\", \"transfer_id\": " INT64_FORMAT "}",
						  o2o_points_text(balance), transfer_id);

	o2o_request_finish(id, DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json))));
}

Datum
o2o_points_post_one_call(PG_FUNCTION_ARGS)
{
	o2o_points_request request;
	pg_uuid_t id;
	Datum posted;

	if (PG_ARGISNULL(P_KEY))
		o2o_request_random(&id);
	else
	{
		Jsonb *replay = claim(fcinfo, &id);

		if (replay != NULL)
			PG_RETURN_DATUM(answer_again(fcinfo, replay));
	}
	if (post_in_place(fcinfo, &id, &request))
		posted = answer(fcinfo, request.transfer_id, request.balance);
	else
		posted = post_in_sql(fcinfo, &id);
	if (!PG_ARGISNULL(P_KEY))
		keep(&id, posted);
	PG_RETURN_DATUM(posted);
}
