/*
 * ledger_write.c
 *		Rows into the tables of the ledger: inserts, updates, and their entries in
 *		the indexes, which ledger_shape.c found. An index whose predicate holds for
 *		none of the rows is not even opened.
 */
#include "points/ledger_shape.h"

#include "access/xact.h"
#include "catalog/index.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* An empty row to write. */
TupleTableSlot *
o2o_ledger_blank(o2o_ledger *ledger, o2o_ledger_table table)
{
	MemoryContext before = MemoryContextSwitchTo(ledger->context);
	TupleTableSlot *slot;

	/* A copy of the shape: the relation's own would be counted once per slot. */
	slot = MakeSingleTupleTableSlot(o2o_ledger_known.shape[table], &TTSOpsVirtual);
	slot->tts_tableOid = RelationGetRelid(ledger->table[table]);
	memset(slot->tts_isnull, true, o2o_ledger_known.shape[table]->natts * sizeof(bool));
	MemoryContextSwitchTo(before);
	return slot;
}

/* Whether a row belongs into an index. */
static bool
is_indexed(const ledger_entry *entry, TupleTableSlot *slot)
{
	static ExprContext *context = NULL;
	bool passes;

	if (entry->predicate == NULL)
		return true;
	if (context == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		context = CreateStandaloneExprContext();
		MemoryContextSwitchTo(before);
	}
	context->ecxt_scantuple = slot;
	passes = ExecQual(entry->predicate, context);
	ResetExprContext(context);
	return passes;
}

static void
close_entry(o2o_ledger_opened *opened)
{
	if (opened->index == NULL)
		return;
	o2o_index_insert_cleanup(opened->index, opened->info);
	index_close(opened->index, NoLock);
	opened->index = NULL;
}

void
o2o_ledger_close_entries(o2o_ledger *ledger)
{
	for (int table = 0; table < LEDGER_TABLES; table++)
	{
		for (int i = 0; i < LEDGER_ENTRIES; i++)
			close_entry(&ledger->entry[table][i]);
	}
}

/* Entries of new rows in the indexes of their table, one index after the other. */
static void
insert_entries(o2o_ledger *ledger, o2o_ledger_table table, TupleTableSlot **slots, int count,
			   o2o_update_indexes which)
{
	MemoryContext before = MemoryContextSwitchTo(ledger->context);

	for (int i = 0; i < o2o_ledger_known.entries[table]; i++)
	{
		const ledger_entry *entry = &o2o_ledger_known.entry[table][i];
		o2o_ledger_opened *opened = &ledger->entry[table][i];
		BlockNumber block = InvalidBlockNumber;

		if (!entry->info.ii_ReadyForInserts || o2o_update_passes_over(which, &entry->info))
			continue;
		for (int j = 0; j < count; j++)
		{
			TupleTableSlot *slot = slots[j];
			Datum values[INDEX_MAX_KEYS];
			bool is_null[INDEX_MAX_KEYS];

			if (!is_indexed(entry, slot))
				continue;
			/* All of one call have one change number, of which a page's summary wants to know once. */
			if (entry->is_seq_summary)
			{
				if (block == ItemPointerGetBlockNumber(&slot->tts_tid))
					continue;
				block = ItemPointerGetBlockNumber(&slot->tts_tid);
			}
			/* Somebody may have begun to build another one meanwhile. */
			if (opened->index != NULL && RelationGetRelid(opened->index) != entry->index)
				close_entry(opened);
			if (opened->index == NULL)
			{
				opened->index = index_open(entry->index, RowExclusiveLock);
				opened->info = palloc(sizeof(IndexInfo));
				*opened->info = entry->info;
				opened->info->ii_Context = ledger->context;
			}
			FormIndexDatum(opened->info, slot, NULL, values, is_null);
			index_insert(opened->index, values, is_null, &slot->tts_tid, ledger->table[table],
						 entry->info.ii_Unique ? UNIQUE_CHECK_YES : UNIQUE_CHECK_NO, false,
						 opened->info);
		}
	}
	MemoryContextSwitchTo(before);
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
		o2o_ledger_serialization_failure();
	if (which != O2O_UPDATE_NO_INDEX)
		insert_entries(ledger, table, &slot, 1, which);
}

void
o2o_ledger_insert(o2o_ledger *ledger, o2o_ledger_table table, TupleTableSlot **slots, int count)
{
	CommandId command = GetCurrentCommandId(true);

	if (count == 1)
		table_tuple_insert(ledger->table[table], slots[0], command, 0, NULL);
	else
		table_multi_insert(ledger->table[table], slots, count, command, 0, NULL);
	insert_entries(ledger, table, slots, count, O2O_UPDATE_ALL_INDEXES);
}
