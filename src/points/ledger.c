/*
 * ledger.c
 *		The tables of the ledger as C code reaches them, without a plan for each
 *		row: opened, looked up by key, locked. Rows are written in ledger_write.c.
 *
 * Where the tables are not plain (ledger_shape.c), or the current user lacks
 * privileges on them, o2o_ledger_open() returns NULL; the caller then goes through
 * SQL, where the server sees to all of it.
 */
#include "points/ledger_shape.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static LOCKMODE
lock_mode(int table)
{
	return o2o_ledger_tables[table].writes != 0 ? RowExclusiveLock : AccessShareLock;
}

/* Whether the current user may do with the tables what is done here; asked once for a user and a state of the tables. */
static bool
may_use(int which)
{
	if (o2o_ledger_known.user != GetUserId())
	{
		o2o_ledger_known.user = GetUserId();
		o2o_ledger_known.user_may = 0;
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		AclMode needed = o2o_ledger_tables[i].reads | o2o_ledger_tables[i].writes;

		if ((which & ~o2o_ledger_known.user_may & (1 << i)) == 0)
			continue;
		if (pg_class_aclmask(o2o_ledger_known.table[i], GetUserId(), needed, ACLMASK_ALL) != needed)
			return false;
		o2o_ledger_known.user_may |= 1 << i;
	}
	return true;
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
	do
	{
		if (!o2o_learned_is_plain(&o2o_ledger_learned))
		{
			MemoryContextDelete(context);
			return NULL;
		}
		for (int i = 0; i < LEDGER_TABLES; i++)
		{
			if (which & (1 << i))
				LockRelationOid(o2o_ledger_known.table[i], lock_mode(i));
		}
	} while (!o2o_ledger_learned.is_known);
	if (!may_use(which))
	{
		MemoryContextDelete(context);
		return NULL;
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (which & (1 << i))
			ledger->table[i] = table_open(o2o_ledger_known.table[i], NoLock);
	}
	ledger->prune_below = BLCKSZ / 8;
	PushActiveSnapshot(GetTransactionSnapshot());
	return ledger;
}

static void
forget_pages(o2o_ledger *ledger)
{
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (ledger->found[i] != NULL)
			ExecClearTuple(ledger->found[i]);
		if (BufferIsValid(ledger->page[i]))
			ReleaseBuffer(ledger->page[i]);
		ledger->page[i] = InvalidBuffer;
	}
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
	forget_pages(ledger);
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
	forget_pages(ledger);
	o2o_ledger_close_entries(ledger);
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		if (ledger->found[i] != NULL)
			ExecDropSingleTupleTableSlot(ledger->found[i]);
		if (ledger->table[i] != NULL)
			table_close(ledger->table[i], NoLock);
	}
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

/*
 * The row that an index entry leads to, as the snapshot sees it; NULL: it sees none.
 *
 * The server prunes a page at each visit that finds it filled beyond its fillfactor, which a row
 * for each update costs more than the update. Here a page is pruned when it is nearly full.
 */
static TupleTableSlot *
row_at(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer tid, Snapshot snapshot,
	   bool *all_dead)
{
	Relation relation = ledger->table[table];
	Buffer before = ledger->page[table];
	Buffer buffer = ReleaseAndReadBuffer(before, relation, ItemPointerGetBlockNumber(tid));
	BufferHeapTupleTableSlot *slot;
	ItemPointerData at = *tid;
	bool is_there;

	ledger->page[table] = buffer;
	if (ledger->found[table] == NULL)
	{
		MemoryContext context = MemoryContextSwitchTo(ledger->context);

		ledger->found[table] = table_slot_create(relation, NULL);
		MemoryContextSwitchTo(context);
	}
	slot = (BufferHeapTupleTableSlot *) ledger->found[table];
	if (buffer != before && (PageIsFull(BufferGetPage(buffer)) ||
							 PageGetHeapFreeSpace(BufferGetPage(buffer)) < ledger->prune_below))
		heap_page_prune_opt(relation, buffer);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	slot->base.tupdata.t_tableOid = RelationGetRelid(relation);
	is_there = heap_hot_search_buffer(&at, relation, buffer, snapshot, &slot->base.tupdata,
									  all_dead, true);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (!is_there)
		return NULL;
	ExecStoreBufferHeapTuple(&slot->base.tupdata, &slot->base.base, buffer);
	pgstat_count_heap_fetch(relation);
	return &slot->base.base;
}

/* The next row of the lookup, in the order of the index, or NULL. It stands until the next lookup in its table. */
TupleTableSlot *
o2o_ledger_next(o2o_ledger *ledger, o2o_ledger_index which)
{
	IndexScanDesc scan = ledger->scan[which];
	ItemPointer tid;

	while ((tid = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		bool all_dead = false;
		TupleTableSlot *slot =
			row_at(ledger, o2o_ledger_indexes[which].table, tid, scan->xs_snapshot, &all_dead);

		scan->kill_prior_tuple = all_dead && !scan->xactStartedInRecovery;
		if (slot != NULL)
			return slot;
	}
	return NULL;
}

/* Where the lookup found its last row, for o2o_ledger_at(). */
ItemPointerData
o2o_ledger_place(o2o_ledger *ledger, o2o_ledger_index which)
{
	return ledger->scan[which]->xs_heaptid;
}

/* The row at a place where a lookup found one some time ago; NULL: none. The caller looks whether it is the same. */
TupleTableSlot *
o2o_ledger_at(o2o_ledger *ledger, o2o_ledger_table table, ItemPointer place)
{
	/* The table may have become shorter. */
	if (!ItemPointerIsValid(place) ||
		ItemPointerGetBlockNumber(place) >= RelationGetNumberOfBlocks(ledger->table[table]))
		return NULL;
	return row_at(ledger, table, place, GetActiveSnapshot(), NULL);
}

void
o2o_ledger_serialization_failure(void)
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
		o2o_ledger_serialization_failure();
}

/* o2o.change_seq(), without a plan as soon as the cluster's base is there for good. */
int64
o2o_ledger_seq(void)
{
	bool is_null;
	int64 seq;
	Datum inserted_by;

	if (o2o_ledger_learned.is_known && o2o_ledger_known.seq_base != 0)
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
	if (o2o_ledger_learned.is_known && !is_null &&
		!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inserted_by)))
		o2o_ledger_known.seq_base =
			1 + seq - (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	SPI_finish();
	return seq;
}

/* A new number for a transfer. */
int64
o2o_ledger_transfer_id(void)
{
	return nextval_internal(o2o_ledger_known.transfers, true);
}
