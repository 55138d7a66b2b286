/*
 * request.c
 *		Idempotency keys: who comes first with a key claims it, who comes later
 *		gets the first answer. What the answers are stands in the rooms whose
 *		calls take a key; batches claim many keys in a statement of their own.
 *
 * A claim inserts the row of the key (request_row.c). Where the table is not a
 * plain one of this node, or the current user may not do all of it, it goes
 * through SQL.
 */
#include "base/request.h"

#include <ctype.h>

#include "o2o.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(o2o_request_key_call);
PG_FUNCTION_INFO_V1(o2o_request_claim_call);
PG_FUNCTION_INFO_V1(o2o_request_finish_call);

/* Version 4; it only has to be another one each time. */
void
o2o_request_random(pg_uuid_t *id)
{
	uint64 halves[2] = {pg_prng_uint64(&pg_global_prng_state),
						pg_prng_uint64(&pg_global_prng_state)};

	memcpy(id->data, halves, UUID_LEN);
	id->data[6] = (id->data[6] & 0x0f) | 0x40;
	id->data[8] = (id->data[8] & 0x3f) | 0x80;
}

static bytea *
hash_of(const char *data, int length)
{
	char *utf8 = pg_server_to_any(data, length, PG_UTF8);
	text *value = cstring_to_text_with_len(utf8, utf8 == data ? length : strlen(utf8));

	return DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(value)));
}

/* The id of a key: the key itself where it is written as a UUID is, else the first half of its SHA-256. */
void
o2o_request_key(const text *key, pg_uuid_t *id)
{
	static const char form[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
	const char *data = VARDATA_ANY(key);
	int length = VARSIZE_ANY_EXHDR(key);
	bool is_uuid = length == strlen(form);

	for (int i = 0; i < length && is_uuid; i++)
		is_uuid = form[i] == '-' ? data[i] == '-' : isxdigit((unsigned char) data[i]) != 0;
	if (is_uuid)
		*id = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(pnstrdup(data, length))));
	else
		memcpy(id->data, VARDATA_ANY(hash_of(data, length)), UUID_LEN);
}

static bool
claim_in_sql(const pg_uuid_t *id, text *operation, bytea *hash, O2ORequestRow *row)
{
	MemoryContext before = CurrentMemoryContext;
	Oid types[3] = {UUIDOID, TEXTOID, BYTEAOID};
	Datum values[3] = {UUIDPGetDatum(id), PointerGetDatum(operation), PointerGetDatum(hash)};
	bool is_first;

	SPI_connect();
	for (;;)
	{
		if (SPI_execute_with_args(
				"INSERT INTO o2o.request (request_id, operation, payload_hash) VALUES ($1, $2, $3)"
				" ON CONFLICT DO NOTHING",
				3, types, values, NULL, false, 0) != SPI_OK_INSERT)
			elog(ERROR, "an idempotency key cannot be claimed");
		is_first = SPI_processed == 1;
		if (is_first)
			break;
		if (SPI_execute_with_args("SELECT r.operation, r.payload_hash, r.result FROM o2o.request r"
								  " WHERE r.request_id OPERATOR(pg_catalog.=) $1",
								  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
			elog(ERROR, "an idempotency key cannot be read");
		if (SPI_processed == 1)
		{
			HeapTuple tuple = SPI_tuptable->vals[0];
			TupleDesc shape = SPI_tuptable->tupdesc;
			MemoryContext spi = MemoryContextSwitchTo(before);
			bool is_null;
			Datum result;

			row->operation = DatumGetTextPCopy(SPI_getbinval(tuple, shape, 1, &is_null));
			row->hash = DatumGetByteaPCopy(SPI_getbinval(tuple, shape, 2, &is_null));
			result = SPI_getbinval(tuple, shape, 3, &is_null);
			row->result = is_null ? NULL : DatumGetJsonbPCopy(result);
			MemoryContextSwitchTo(spi);
			break;
		}
		CHECK_FOR_INTERRUPTS();
	}
	SPI_finish();
	return is_first;
}

static bool
is_same(const struct varlena *a, const struct varlena *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		   memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/*
 * Claims a key for an operation with these arguments, given as JSON text. NULL: the caller is the
 * first and does the work; else the first answer, which is empty where none was kept. A caller
 * without a key (NULL) is always the first, and gets a random id.
 */
Jsonb *
o2o_request_claim(const text *key, text *operation, const char *payload, pg_uuid_t *id)
{
	Relation table;
	bytea *hash;
	O2ORequestRow earlier;
	bool is_first;

	if (key == NULL)
	{
		o2o_request_random(id);
		return NULL;
	}
	if (VARSIZE_ANY_EXHDR(key) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("idempotency key is empty"),
				 errhint("Give each operation a key of its own, or NULL for none.")));
	o2o_request_key(key, id);
	hash = hash_of(payload, strlen(payload));
	table = o2o_request_table();
	if (table != NULL)
	{
		is_first = o2o_request_row_claim(table, id, operation, hash, &earlier);
		table_close(table, NoLock);
	}
	else
		is_first = claim_in_sql(id, operation, hash, &earlier);
	if (is_first)
		return NULL;
	if (!is_same(earlier.operation, operation) || !is_same(earlier.hash, hash))
		ereport(ERROR, (errcode(ERRCODE_O2O_KEY_USED),
						errmsg("idempotency key was used before with other arguments"),
						errdetail("Request %s was \"%s\" then and is \"%s\" now.",
								  DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))),
								  text_to_cstring(earlier.operation), text_to_cstring(operation)),
						errhint("Use a new key for a new operation, and the same arguments when an "
								"operation is repeated.")));
	if (earlier.result == NULL)
		return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
	return earlier.result;
}

/* Keeps the answer that a replay of a claimed request returns; of one without a key nothing is kept. */
void
o2o_request_finish(const pg_uuid_t *id, Jsonb *result)
{
	Relation table = o2o_request_table();
	Oid types[2] = {UUIDOID, JSONBOID};
	Datum values[2] = {UUIDPGetDatum(id), JsonbPGetDatum(result)};

	if (table != NULL)
	{
		o2o_request_row_finish(table, id, result);
		table_close(table, NoLock);
		return;
	}
	SPI_connect();
	if (SPI_execute_with_args("UPDATE o2o.request r SET result = $2"
							  " WHERE r.request_id OPERATOR(pg_catalog.=) $1",
							  2, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "the answer of a request cannot be kept");
	SPI_finish();
}

/* request_key(idempotency_key) */
Datum
o2o_request_key_call(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	o2o_request_key(PG_GETARG_TEXT_PP(0), id);
	PG_RETURN_UUID_P(id);
}

/* request_claim(idempotency_key, operation, payload) */
Datum
o2o_request_claim_call(PG_FUNCTION_ARGS)
{
	text *key = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));
	TupleDesc shape = lookup_rowtype_tupdesc(get_fn_expr_rettype(fcinfo->flinfo), -1);
	const char *payload = NULL;
	Jsonb *replay;
	Datum values[2];
	bool is_null[2] = {false, false};
	HeapTuple row;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("a request needs an operation and its arguments")));
	if (key != NULL)
	{
		Jsonb *arguments = PG_GETARG_JSONB_P(2);

		payload = JsonbToCString(NULL, &arguments->root, VARSIZE(arguments));
	}
	replay = o2o_request_claim(key, PG_GETARG_TEXT_PP(1), payload, id);
	values[0] = UUIDPGetDatum(id);
	values[1] = JsonbPGetDatum(replay);
	is_null[1] = replay == NULL;
	row = heap_form_tuple(shape, values, is_null);
	ReleaseTupleDesc(shape);
	PG_RETURN_DATUM(HeapTupleGetDatum(row));
}

/* request_finish(request_id, result) */
Datum
o2o_request_finish_call(PG_FUNCTION_ARGS)
{
	o2o_request_finish(PG_GETARG_UUID_P(0), PG_GETARG_JSONB_P(1));
	PG_RETURN_VOID();
}
