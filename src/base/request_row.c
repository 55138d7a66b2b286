/*
 * request_row.c
 *		The row of a key in table request, written and read without a plan. What a
 *		claim means stands in request.c.
 *
 * A new row is inserted as INSERT ... ON CONFLICT DO NOTHING does it: after waiting
 * for whoever has inserted it and not committed.
 */
#include "base/request.h"

#include "base/relation.h"
#include "o2o.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

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
			   (table->rd_att->constr == NULL || table->rd_att->constr->num_check == 0);
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

/* The table, locked for the transaction; NULL: it is not a plain one of this node, or the current user may not do all of it. */
Relation
o2o_request_table(void)
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
read_row(TupleTableSlot *slot, O2ORequestRow *row)
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
bool
o2o_request_row_claim(Relation table, const pg_uuid_t *id, text *operation, bytea *hash,
					  O2ORequestRow *row)
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

/* Keeps an answer in the row of a key; of one that nobody claimed nothing is kept. */
void
o2o_request_row_finish(Relation table, const pg_uuid_t *id, Jsonb *result)
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
