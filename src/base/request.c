/*
 * request.c
 *		Idempotency keys: who comes first with a key claims it, who comes later
 *		gets the first answer. What the answers are stands in the rooms whose
 *		calls take a key; batches claim many keys in a statement of their own.
 *
 * A claim inserts the row of the key as INSERT ... ON CONFLICT DO NOTHING does,
 * without a plan: it waits for whoever has inserted it and not committed. Where
 * the table is not a plain one of this node, or the current user may not do all of
 * it, the statements go through SQL.
 */
#include "base/request.h"

#include <ctype.h>

#include "base/relation.h"
#include "o2o.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(o2o_request_key_call);
PG_FUNCTION_INFO_V1(o2o_request_claim_call);
PG_FUNCTION_INFO_V1(o2o_request_finish_call);

/* Columns of the table that are read or written. */
enum
{
	REQUEST_ID,
	REQUEST_OPERATION,
	REQUEST_PAYLOAD_HASH,
	REQUEST_RESULT,
	REQUEST_CREATED_AT,
	REQUEST_CREATED_BY,
	REQUEST_COLUMNS
};

static const char *const names[REQUEST_COLUMNS] = {"request_id", "operation",  "payload_hash",
												   "result",     "created_at", "created_by"};

/* What was found out about the table. */
static Oid table_oid;
static Oid key_index;
static AttrNumber number[REQUEST_COLUMNS];

/* A row as it stands in the table. */
typedef struct request_row
{
	text *operation;
	bytea *hash;
	Jsonb *result; /* NULL: none yet */
} request_row;

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

/* Its columns; false: some are missing, or somebody has to fill others. */
static bool
learn_columns(Relation table)
{
	TupleDesc shape = RelationGetDescr(table);
	int matched = 0;

	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		int column = 0;

		if (attribute->attisdropped)
			continue;
		while (column < REQUEST_COLUMNS && strcmp(NameStr(attribute->attname), names[column]) != 0)
			column++;
		if (column < REQUEST_COLUMNS)
		{
			number[column] = attribute->attnum;
			matched++;
		}
		else if (attribute->attnotnull || attribute->atthasdef)
			return false;
	}
	return matched == REQUEST_COLUMNS;
}

static bool
is_key(Oid candidate)
{
	Relation index = index_open(candidate, AccessShareLock);
	Form_pg_index form = index->rd_index;
	bool is_it = form->indisvalid && form->indisunique && form->indimmediate &&
				 form->indnkeyatts == 1 && form->indkey.values[0] == number[REQUEST_ID] &&
				 index->rd_rel->relam == BTREE_AM_OID && RelationGetIndexPredicate(index) == NIL;

	index_close(index, AccessShareLock);
	return is_it;
}

/* Looks at the table. */
static bool
learn(O2OLearned *learned)
{
	Relation table;
	bool is_plain;
	ListCell *cell;

	table_oid = o2o_relation_of_model("request");
	o2o_learned_watch(learned, table_oid);
	table = table_open(table_oid, AccessShareLock);
	key_index = InvalidOid;
	is_plain = o2o_relation_is_plain(table) && table->trigdesc == NULL && learn_columns(table) &&
			   table->rd_att->constr->num_check == 0;
	if (is_plain)
	{
		List *indexes = RelationGetIndexList(table);

		foreach (cell, indexes)
		{
			if (!OidIsValid(key_index) && is_key(lfirst_oid(cell)))
				key_index = lfirst_oid(cell);
		}
		list_free(indexes);
		o2o_learned_watch(learned, key_index);
	}
	table_close(table, NoLock);
	return OidIsValid(key_index);
}

static O2OLearned learned = {.learn = learn};

/* The table, locked for the transaction; NULL: it is for SQL. */
static Relation
open_table(void)
{
	const AclMode needed = ACL_SELECT | ACL_INSERT | ACL_UPDATE;

	PreventCommandIfReadOnly("an idempotency key");
	PreventCommandIfParallelMode("an idempotency key");
	do
	{
		if (!o2o_learned_is_plain(&learned))
			return NULL;
		LockRelationOid(table_oid, RowExclusiveLock);
	} while (!learned.is_known);
	if (pg_class_aclmask(table_oid, GetUserId(), needed, ACLMASK_ALL) != needed)
		return NULL;
	return table_open(table_oid, NoLock);
}

/* The row of a key as the active snapshot sees it, in the slot; false: it sees none. */
static bool
find(Relation table, const pg_uuid_t *id, TupleTableSlot *slot)
{
	Relation index = index_open(key_index, AccessShareLock);
	IndexScanDesc scan = o2o_index_beginscan(table, index, GetActiveSnapshot(), 1);
	ScanKeyData key;
	bool is_found;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(id));
	index_rescan(scan, &key, 1, NULL, 0);
	is_found = index_getnext_slot(scan, ForwardScanDirection, slot);
	/* The slot keeps its page. */
	index_endscan(scan);
	index_close(index, NoLock);
	return is_found;
}

static void
serialization_failure(void)
{
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("could not serialize access due to concurrent update")));
}

/* The row of a new key. */
static TupleTableSlot *
new_row(Relation table, const pg_uuid_t *id, text *operation, bytea *hash)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsVirtual);

	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	slot->tts_values[number[REQUEST_ID] - 1] = UUIDPGetDatum(id);
	slot->tts_values[number[REQUEST_OPERATION] - 1] = PointerGetDatum(operation);
	slot->tts_values[number[REQUEST_PAYLOAD_HASH] - 1] = PointerGetDatum(hash);
	slot->tts_values[number[REQUEST_CREATED_AT] - 1] =
		TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	slot->tts_values[number[REQUEST_CREATED_BY] - 1] =
		CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	for (int i = 0; i < REQUEST_COLUMNS; i++)
		slot->tts_isnull[number[i] - 1] = i == REQUEST_RESULT;
	ExecStoreVirtualTuple(slot);
	return slot;
}

/* Inserts the row of a key unless it is there, or somebody who commits was faster. */
static bool
insert(Relation table, TupleTableSlot *slot)
{
	EState *state = CreateExecutorState();
	ResultRelInfo *target = makeNode(ResultRelInfo);
	bool is_inserted = false;
	ItemPointerData other;

	InitResultRelInfo(target, table, 0, NULL, 0);
	ExecOpenIndices(target, true);
	while (!is_inserted && o2o_exec_check_constraints(target, slot, state, &other))
	{
		uint32 token;
		bool is_late = false;

		CHECK_FOR_INTERRUPTS();
		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
		table_tuple_insert_speculative(table, slot, GetCurrentCommandId(true), 0, NULL, token);
		list_free(o2o_exec_insert_indexes(target, slot, state, true, &is_late));
		table_tuple_complete_speculative(table, slot, token, !is_late);
		SpeculativeInsertionLockRelease(GetCurrentTransactionId());
		is_inserted = !is_late;
	}
	ExecCloseIndices(target);
	FreeExecutorState(state);
	return is_inserted;
}

static void
read_row(TupleTableSlot *slot, request_row *row)
{
	bool is_null;
	Datum value = slot_getattr(slot, number[REQUEST_OPERATION], &is_null);

	row->operation = DatumGetTextPCopy(value);
	value = slot_getattr(slot, number[REQUEST_PAYLOAD_HASH], &is_null);
	row->hash = DatumGetByteaPCopy(value);
	value = slot_getattr(slot, number[REQUEST_RESULT], &is_null);
	row->result = is_null ? NULL : DatumGetJsonbPCopy(value);
}

/* Claims a key in its table; false: it was claimed before, and row is what was. */
static bool
claim_in_place(Relation table, const pg_uuid_t *id, text *operation, bytea *hash, request_row *row)
{
	TupleTableSlot *slot = new_row(table, id, operation, hash);
	TupleTableSlot *found = table_slot_create(table, NULL);
	bool is_first = false;
	bool is_found = false;

	/* Who was faster may have given the key back meanwhile, as a batch does. */
	while (!is_found && !(is_first = insert(table, slot)))
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		is_found = find(table, id, found);
		if (is_found)
			read_row(found, row);
		else if (IsolationUsesXactSnapshot())
			serialization_failure();
		PopActiveSnapshot();
	}
	ExecDropSingleTupleTableSlot(found);
	ExecDropSingleTupleTableSlot(slot);
	CommandCounterIncrement();
	return is_first;
}

static bool
claim_in_sql(const pg_uuid_t *id, text *operation, bytea *hash, request_row *row)
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
	request_row earlier;
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
	table = open_table();
	if (table != NULL)
	{
		is_first = claim_in_place(table, id, operation, hash, &earlier);
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

static void
finish_in_place(Relation table, const pg_uuid_t *id, Jsonb *result)
{
	TupleTableSlot *found = table_slot_create(table, NULL);

	PushActiveSnapshot(GetTransactionSnapshot());
	if (find(table, id, found))
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
		ItemPointerData at = found->tts_tid;
		TM_FailureData failure;
		LockTupleMode mode;
		o2o_update_indexes which = O2O_UPDATE_NO_INDEX;
		Datum value = JsonbPGetDatum(result);
		bool is_null = false;
		int column = number[REQUEST_RESULT];
		HeapTuple row = ExecFetchSlotHeapTuple(found, false, NULL);

		row = heap_modify_tuple_by_cols(row, RelationGetDescr(table), 1, &column, &value, &is_null);
		ExecStoreHeapTuple(row, slot, true);
		if (table_tuple_update(table, &at, slot, GetCurrentCommandId(true), GetActiveSnapshot(),
							   InvalidSnapshot, true, &failure, &mode, &which) != TM_Ok)
			serialization_failure();
		if (which != O2O_UPDATE_NO_INDEX)
		{
			EState *state = CreateExecutorState();
			ResultRelInfo *target = makeNode(ResultRelInfo);

			InitResultRelInfo(target, table, 0, NULL, 0);
			ExecOpenIndices(target, false);
			list_free(o2o_exec_insert_indexes(target, slot, state, false, NULL));
			ExecCloseIndices(target);
			FreeExecutorState(state);
		}
		ExecDropSingleTupleTableSlot(slot);
	}
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(found);
	CommandCounterIncrement();
}

/* Keeps the answer that a replay of a claimed request returns; of one without a key nothing is kept. */
void
o2o_request_finish(const pg_uuid_t *id, Jsonb *result)
{
	Relation table = open_table();
	Oid types[2] = {UUIDOID, JSONBOID};
	Datum values[2] = {UUIDPGetDatum(id), JsonbPGetDatum(result)};

	if (table != NULL)
	{
		finish_in_place(table, id, result);
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
