/*
 * ledger.c
 *		The tables of the ledger as C code reaches them, without a plan for each
 *		row: lookups by key, locks, updates, inserts with their index entries.
 *
 * Where the tables are not plain (ledger_shape.c), or the current user lacks
 * privileges on them, o2o_ledger_open() returns NULL; the caller then goes through
 * SQL, where the server sees to all of it.
 */
#include "points/ledger_shape.h"

#include "access/table.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* A predicate of a partial index, ready to run. */
typedef struct ledger_predicate
{
	Oid index;
	List *source;
	ExprState *state;
} ledger_predicate;

static LOCKMODE
lock_mode(int table)
{
	return o2o_ledger_tables[table].writes != 0 ? RowExclusiveLock : AccessShareLock;
}

/*
 * The tables, open and locked for the transaction; NULL where they are not plain or the current
 * user may not do all of it. The caller sees what was committed until now, and closes it.
 */
o2o_ledger *
o2o_ledger_open(int which)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "o2o ledger", ALLOCSET_DEFAULT_SIZES);
	o2o_ledger *ledger = MemoryContextAllocZero(context, sizeof(o2o_ledger));

	ledger->context = context;
	PreventCommandIfReadOnly("posting of points");
	PreventCommandIfParallelMode("posting of points");
	for (;;)
	{
		if (!o2o_ledger_known.is_known)
			o2o_ledger_learn();
		if (!o2o_ledger_known.is_plain && o2o_ledger_known.is_known)
		{
			MemoryContextDelete(context);
			return NULL;
		}
		for (int i = 0; i < LEDGER_TABLES; i++)
		{
			if (which & (1 << i))
				LockRelationOid(o2o_ledger_known.table[i], lock_mode(i));
		}
		/* The locks let changes be heard that came before them. */
		if (o2o_ledger_known.is_known)
			break;
		for (int i = 0; i < LEDGER_TABLES; i++)
		{
			if (which & (1 << i))
				UnlockRelationOid(o2o_ledger_known.table[i], lock_mode(i));
		}
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		AclMode needed = o2o_ledger_tables[i].reads | o2o_ledger_tables[i].writes;

		if ((which & (1 << i)) &&
			pg_class_aclmask(o2o_ledger_known.table[i], GetUserId(), needed, ACLMASK_ALL) != needed)
		{
			MemoryContextDelete(context);
			return NULL;
		}
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (which & (1 << i))
			ledger->table[i] = table_open(o2o_ledger_known.table[i], NoLock);
	}
	PushActiveSnapshot(GetTransactionSnapshot());
	return ledger;
}

/* Ends the lookups; the next ones see what this call wrote and others committed since. */
void
o2o_ledger_look_again(o2o_ledger *ledger)
{
	for (int i = 0; i < LEDGER_INDEXES; i++)
	{
		if (ledger->scan[i] != NULL)
			index_endscan(ledger->scan[i]);
		ledger->scan[i] = NULL;
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (ledger->found[i] != NULL)
			ExecClearTuple(ledger->found[i]);
	}
	PopActiveSnapshot();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
o2o_ledger_close(o2o_ledger *ledger)
{
	for (int i = 0; i < LEDGER_INDEXES; i++)
	{
		if (ledger->scan[i] != NULL)
			index_endscan(ledger->scan[i]);
		if (ledger->index[i] != NULL)
			index_close(ledger->index[i], NoLock);
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (ledger->found[i] != NULL)
			ExecDropSingleTupleTableSlot(ledger->found[i]);
		if (ledger->result[i] != NULL)
			ExecCloseIndices(ledger->result[i]);
		if (ledger->table[i] != NULL)
			table_close(ledger->table[i], NoLock);
	}
	if (ledger->estate != NULL)
		FreeExecutorState(ledger->estate);
	PopActiveSnapshot();
	MemoryContextDelete(ledger->context);
	CommandCounterIncrement();
}

/* Begins a lookup of the rows whose first keys are these; of a walk through lots the last one is passed over. */
void
o2o_ledger_find(o2o_ledger *ledger, o2o_ledger_index which, const Datum *key, int keys)
{
	const ledger_index_spec *spec = &o2o_ledger_indexes[which];
	MemoryContext before = MemoryContextSwitchTo(ledger->context);
	ScanKeyData scan_key[lengthof(spec->key)];

	if (ledger->index[which] == NULL)
		ledger->index[which] = index_open(o2o_ledger_known.index[which], AccessShareLock);
	if (ledger->found[spec->table] == NULL)
		ledger->found[spec->table] = table_slot_create(ledger->table[spec->table], NULL);
	for (int i = 0; i < keys; i++)
	{
		if (which == LEDGER_LOT_WALK && i == keys - 1)
			ScanKeyInit(&scan_key[i], i + 1, BTGreaterStrategyNumber, F_TIMESTAMPTZ_GT, key[i]);
		else
			ScanKeyInit(&scan_key[i], i + 1, BTEqualStrategyNumber, spec->equal[i], key[i]);
		scan_key[i].sk_collation = ledger->index[which]->rd_indcollation[i];
	}
	/* A scan has room for as many keys as it was begun with. */
	if (ledger->scan[which] != NULL && ledger->scan[which]->numberOfKeys != keys)
	{
		index_endscan(ledger->scan[which]);
		ledger->scan[which] = NULL;
	}
	if (ledger->scan[which] == NULL)
		ledger->scan[which] = o2o_index_beginscan(ledger->table[spec->table], ledger->index[which],
												  GetActiveSnapshot(), keys);
	index_rescan(ledger->scan[which], scan_key, keys, NULL, 0);
	MemoryContextSwitchTo(before);
}

/* The next row of the lookup, in the order of the index, or NULL. It stands until the next lookup in its table. */
TupleTableSlot *
o2o_ledger_next(o2o_ledger *ledger, o2o_ledger_index which)
{
	TupleTableSlot *slot = ledger->found[o2o_ledger_indexes[which].table];

	return index_getnext_slot(ledger->scan[which], ForwardScanDirection, slot) ? slot : NULL;
}

static void
serialization_failure(void)
{
	ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					errmsg("could not serialize access due to concurrent update")));
}

/* FOR NO KEY UPDATE: waits for whoever holds the row, and leaves its newest version in the slot. */
void
o2o_ledger_lock(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer tid, TupleTableSlot *slot)
{
	ItemPointerData at = *tid;
	TM_FailureData failure;
	uint8 flags = IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION;

	if (table_tuple_lock(ledger->table[table], &at, GetActiveSnapshot(), slot,
						 GetCurrentCommandId(false), LockTupleNoKeyExclusive, LockWaitBlock, flags,
						 &failure) != TM_Ok)
		serialization_failure();
}

/* An empty row to write. */
TupleTableSlot *
o2o_ledger_blank(o2o_ledger *ledger, o2o_ledger_table table)
{
	MemoryContext before = MemoryContextSwitchTo(ledger->context);
	TupleTableSlot *slot;

	/* A copy of the shape: the relation's own would be counted once per slot. */
	if (ledger->shape[table] == NULL)
		ledger->shape[table] = CreateTupleDescCopy(RelationGetDescr(ledger->table[table]));
	slot = MakeSingleTupleTableSlot(ledger->shape[table], &TTSOpsVirtual);
	slot->tts_tableOid = RelationGetRelid(ledger->table[table]);
	memset(slot->tts_isnull, true, ledger->shape[table]->natts * sizeof(bool));
	MemoryContextSwitchTo(before);
	return slot;
}

/* The predicate of a partial index, made ready once in a session: that costs more than a posting. */
static ExprState *
prepared_predicate(Oid index, List *source)
{
	static List *prepared = NIL;
	ListCell *cell;
	ledger_predicate *made = NULL;
	MemoryContext before;

	foreach (cell, prepared)
	{
		made = lfirst(cell);
		if (made->index == index && equal(made->source, source))
			return made->state;
	}
	before = MemoryContextSwitchTo(CacheMemoryContext);
	made = palloc(sizeof(ledger_predicate));
	made->index = index;
	made->source = copyObject(source);
	made->state = ExecInitQual((List *) expression_planner((Expr *) made->source), NULL);
	prepared = lappend(prepared, made);
	MemoryContextSwitchTo(before);
	return made->state;
}

/* Entries of a row in the indexes of its table. */
static void
insert_index_entries(o2o_ledger *ledger, o2o_ledger_table table, TupleTableSlot *slot,
					 o2o_update_indexes which)
{
	ResultRelInfo *result = ledger->result[table];

	if (result == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(ledger->context);

		if (ledger->estate == NULL)
			ledger->estate = CreateExecutorState();
		result = makeNode(ResultRelInfo);
		InitResultRelInfo(result, ledger->table[table], 0, NULL, 0);
		ExecOpenIndices(result, false);
		for (int i = 0; i < result->ri_NumIndices; i++)
		{
			IndexInfo *info = result->ri_IndexRelationInfo[i];

			if (info->ii_Predicate != NIL)
				info->ii_PredicateState = prepared_predicate(
					RelationGetRelid(result->ri_IndexRelationDescs[i]), info->ii_Predicate);
		}
		ledger->result[table] = result;
		MemoryContextSwitchTo(before);
	}
	o2o_insert_index_tuples(result, slot, ledger->estate, which);
	ResetPerTupleExprContext(ledger->estate);
}

/* Puts a new version of a row in place of the one at tid, which is locked or found by this call. */
void
o2o_ledger_update(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer tid, TupleTableSlot *slot)
{
	ItemPointerData at = *tid;
	TM_FailureData failure;
	LockTupleMode mode;
	o2o_update_indexes which = O2O_UPDATE_NO_INDEX;

	if (table_tuple_update(ledger->table[table], &at, slot, GetCurrentCommandId(true),
						   GetActiveSnapshot(), InvalidSnapshot, true, &failure, &mode,
						   &which) != TM_Ok)
		serialization_failure();
	if (which != O2O_UPDATE_NO_INDEX)
		insert_index_entries(ledger, table, slot, which);
}

void
o2o_ledger_insert(o2o_ledger *ledger, o2o_ledger_table table, TupleTableSlot **slots, int count)
{
	CommandId command = GetCurrentCommandId(true);

	if (count == 1)
		table_tuple_insert(ledger->table[table], slots[0], command, 0, NULL);
	else
		table_multi_insert(ledger->table[table], slots, count, command, 0, NULL);
	for (int i = 0; i < count; i++)
		insert_index_entries(ledger, table, slots[i], O2O_UPDATE_ALL_INDEXES);
}

/* o2o.change_seq(), without a plan as soon as the cluster's base is there for good. */
int64
o2o_ledger_seq(void)
{
	bool is_null;
	int64 seq;
	Datum inserted_by;

	if (o2o_ledger_known.is_known && o2o_ledger_known.seq_base != 0)
		return o2o_ledger_known.seq_base - 1 +
			   (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	SPI_connect();
	if (SPI_execute("SELECT o2o.change_seq(), (SELECT b.xmin FROM o2o.change_base b"
					" WHERE b.system_identifier OPERATOR(pg_catalog.=) o2o.cluster_identifier())",
					false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "o2o.change_seq() gives no number");
	seq = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	/* A base that was there before this transaction stays: nobody changes it. */
	inserted_by = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null);
	if (o2o_ledger_known.is_known && !is_null &&
		!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inserted_by)))
		o2o_ledger_known.seq_base =
			1 + seq - (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	SPI_finish();
	return seq;
}
