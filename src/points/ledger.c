/*
 * ledger.c
 *		The tables of the ledger as C code reaches them, without a plan for each
 *		row: lookups by key, locks, updates, inserts with their index entries.
 *
 * That is only right where the tables are what setup() made: plain heaps of this
 * node, without triggers, rules, policies, children, defaults or checks that
 * C code would have to obey. Anything else, and missing privileges of the current
 * user, make o2o_ledger_open() return NULL; the caller then goes through SQL,
 * where the server sees to all of it.
 */
#include "points/ledger.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

typedef struct ledger_table_spec
{
	const char *name;
	int columns;
	const char *const column[POSTING_COLUMNS];
	AclMode reads;
	AclMode writes;
	int checks; /* CHECK constraints that setup() gives it, on columns that never change here */
} ledger_table_spec;

static const ledger_table_spec tables[LEDGER_TABLES] = {
	{"points_account",
	 ACCOUNT_COLUMNS,
	 {"profile_id", "account_id", "program", "kind", "version", "balance", "held", "debt",
	  "posted_at", "chain"},
	 ACL_SELECT,
	 ACL_UPDATE,
	 1},
	{"points_lot",
	 LOT_COLUMNS,
	 {"profile_id", "account_id", "expires_at", "grant_month", "funding", "granted", "remaining",
	  "consumed", "expired", "clawed", "held"},
	 ACL_SELECT,
	 ACL_INSERT | ACL_UPDATE,
	 0},
	{"points_posting",
	 POSTING_COLUMNS,
	 {"profile_id", "account_id",  "version",           "transfer_id", "contra_account_id",
	  "operation",  "amount",      "balance",           "expires_at",  "grant_month",
	  "funding",    "request_id",  "acting_profile_id", "customer_id", "reference",
	  "reason",     "occurred_at", "posted_at",         "posted_by",   "reverses_transfer_id",
	  "seq",        "chain"},
	 0,
	 ACL_INSERT,
	 0},
	{"profile", PROFILE_COLUMNS, {"profile_id", "customer_id"}, ACL_SELECT, 0, 0},
};

typedef struct ledger_index_spec
{
	o2o_ledger_table table;
	bool is_unique;
	int keys;
	int key[5]; /* columns of the table */
	RegProcedure equal[5];
} ledger_index_spec;

static const ledger_index_spec indexes[LEDGER_INDEXES] = {
	{LEDGER_ACCOUNT, true, 2, {ACCOUNT_PROFILE_ID, ACCOUNT_ID}, {F_INT8EQ, F_INT8EQ}},
	{LEDGER_ACCOUNT,
	 true,
	 3,
	 {ACCOUNT_PROFILE_ID, ACCOUNT_PROGRAM, ACCOUNT_KIND},
	 {F_INT8EQ, F_TEXTEQ, F_TEXTEQ}},
	{LEDGER_LOT,
	 true,
	 5,
	 {LOT_PROFILE_ID, LOT_ACCOUNT_ID, LOT_EXPIRES_AT, LOT_GRANT_MONTH, LOT_FUNDING},
	 {F_INT8EQ, F_INT8EQ, F_TIMESTAMPTZ_EQ, F_DATE_EQ, F_TEXTEQ}},
	{LEDGER_LOT,
	 true,
	 5,
	 {LOT_PROFILE_ID, LOT_ACCOUNT_ID, LOT_EXPIRES_AT, LOT_GRANT_MONTH, LOT_FUNDING},
	 {F_INT8EQ, F_INT8EQ}},
	{LEDGER_PROFILE, true, 1, {PROFILE_ID}, {F_INT8EQ}},
	{LEDGER_PROFILE, false, 1, {PROFILE_CUSTOMER_ID}, {F_INT8EQ}},
};

/* What was found out about the tables; a change of any of them makes it unknown again. */
static struct
{
	bool is_known;
	bool is_plain;
	Oid table[LEDGER_TABLES];
	Oid index[LEDGER_INDEXES];
	AttrNumber column[LEDGER_TABLES][POSTING_COLUMNS];
	Oid base;
	int64 seq_base; /* 1 + that of change_base, once it is committed; 0: not known */
} known;

/* A predicate of a partial index, ready to run. */
typedef struct ledger_predicate
{
	Oid index;
	List *source;
	ExprState *state;
} ledger_predicate;

static void
forget(Datum arg, Oid relation)
{
	if (!known.is_known)
		return;
	if (OidIsValid(relation) && relation != known.base)
	{
		bool is_ours = false;

		for (int i = 0; i < LEDGER_TABLES && !is_ours; i++)
			is_ours = known.table[i] == relation;
		for (int i = 0; i < LEDGER_INDEXES && !is_ours; i++)
			is_ours = known.index[i] == relation;
		if (!is_ours)
			return;
	}
	known.is_known = false;
}

AttrNumber
o2o_ledger_column(o2o_ledger_table table, int column)
{
	return known.column[table][column];
}

/* Whether rows of a table may be written without the executor. */
static bool
is_plain_table(Relation relation, o2o_ledger_table table)
{
	const ledger_table_spec *spec = &tables[table];
	TupleDesc shape = RelationGetDescr(relation);
	int matched = 0;

	if (relation->rd_rel->relkind != RELKIND_RELATION ||
		relation->rd_rel->relam != HEAP_TABLE_AM_OID || relation->rd_rel->relispartition ||
		relation->rd_rel->relhassubclass || relation->rd_rel->relrowsecurity ||
		relation->rd_rules != NULL)
		return false;
	if (spec->writes != 0 && (relation->trigdesc != NULL ||
							  (shape->constr != NULL && shape->constr->num_check != spec->checks)))
		return false;
	for (int i = 0; i < shape->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		int column = 0;

		if (attribute->attisdropped)
			continue;
		while (column < spec->columns &&
			   strcmp(NameStr(attribute->attname), spec->column[column]) != 0)
			column++;
		if (column < spec->columns)
		{
			known.column[table][column] = attribute->attnum;
			matched++;
		}
		/* Somebody's own column is fine as long as nobody has to fill it. */
		else if ((spec->writes & ACL_INSERT) != 0 &&
				 (attribute->attnotnull || attribute->atthasdef))
			return false;
	}
	return matched == spec->columns;
}

/* The index with exactly these keys, or invalid. */
static Oid
index_of(Relation relation, const ledger_index_spec *spec)
{
	List *list = RelationGetIndexList(relation);
	ListCell *cell;
	Oid found = InvalidOid;

	foreach (cell, list)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		Form_pg_index form = index->rd_index;
		bool is_it = form->indisvalid && form->indimmediate && form->indnkeyatts == spec->keys &&
					 (form->indisunique || !spec->is_unique) &&
					 index->rd_rel->relam == BTREE_AM_OID &&
					 RelationGetIndexPredicate(index) == NIL;

		for (int i = 0; i < spec->keys && is_it; i++)
			is_it = form->indkey.values[i] == known.column[spec->table][spec->key[i]] &&
					(index->rd_indoption[i] & INDOPTION_DESC) == 0;
		if (is_it)
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
		if (OidIsValid(found))
			break;
	}
	list_free(list);
	return found;
}

/* Looks at the tables and their indexes. */
static void
learn(void)
{
	static bool listens = false;
	Oid schema;

	if (!listens)
	{
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
		listens = true;
	}
	known.seq_base = 0;
	memset(known.table, 0, sizeof(known.table));
	memset(known.index, 0, sizeof(known.index));

	/* A change that comes while we look is seen: it makes this unknown again. */
	known.is_known = true;
	known.is_plain = true;
	schema = get_namespace_oid("o2o", false);
	known.base = get_relname_relid("change_base", schema);
	for (int i = 0; i < LEDGER_TABLES && known.is_plain; i++)
	{
		Relation relation;

		known.table[i] = get_relname_relid(tables[i].name, schema);
		if (!OidIsValid(known.table[i]))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
							errmsg("relation \"o2o.%s\" does not exist", tables[i].name),
							errhint("CALL o2o.setup() makes it.")));
		relation = table_open(known.table[i], AccessShareLock);
		known.is_plain = is_plain_table(relation, i);
		for (int j = 0; j < LEDGER_INDEXES && known.is_plain; j++)
		{
			if (indexes[j].table != i)
				continue;
			known.index[j] = index_of(relation, &indexes[j]);
			known.is_plain = OidIsValid(known.index[j]);
		}
		table_close(relation, NoLock);
	}
}

/*
 * The tables, open and locked for the transaction; NULL where they are not plain or the current
 * user may not do all of it. The caller sees what was committed until now, and closes it.
 */
o2o_ledger *
o2o_ledger_open(bool writes)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "o2o ledger", ALLOCSET_DEFAULT_SIZES);
	o2o_ledger *ledger = MemoryContextAllocZero(context, sizeof(o2o_ledger));

	ledger->context = context;
	if (writes)
	{
		PreventCommandIfReadOnly("posting of points");
		PreventCommandIfParallelMode("posting of points");
	}
	for (;;)
	{
		if (!known.is_known)
			learn();
		if (!known.is_plain && known.is_known)
		{
			MemoryContextDelete(context);
			return NULL;
		}
		for (int i = 0; i < LEDGER_TABLES; i++)
			LockRelationOid(known.table[i],
							writes && tables[i].writes != 0 ? RowExclusiveLock : AccessShareLock);
		/* The locks let changes be heard that came before them. */
		if (known.is_known)
			break;
		for (int i = 0; i < LEDGER_TABLES; i++)
			UnlockRelationOid(known.table[i],
							  writes && tables[i].writes != 0 ? RowExclusiveLock : AccessShareLock);
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		AclMode needed = tables[i].reads | (writes ? tables[i].writes : 0);

		if (needed != 0 &&
			pg_class_aclmask(known.table[i], GetUserId(), needed, ACLMASK_ALL) != needed)
		{
			MemoryContextDelete(context);
			return NULL;
		}
	}
	for (int i = 0; i < LEDGER_TABLES; i++)
		ledger->table[i] = table_open(known.table[i], NoLock);
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
	const ledger_index_spec *spec = &indexes[which];
	MemoryContext before = MemoryContextSwitchTo(ledger->context);
	ScanKeyData scan_key[lengthof(spec->key)];

	if (ledger->index[which] == NULL)
		ledger->index[which] = index_open(known.index[which], AccessShareLock);
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
	TupleTableSlot *slot = ledger->found[indexes[which].table];

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

	if (known.is_known && known.seq_base != 0)
		return known.seq_base - 1 + (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	SPI_connect();
	if (SPI_execute("SELECT o2o.change_seq(), (SELECT b.xmin FROM o2o.change_base b"
					" WHERE b.system_identifier OPERATOR(pg_catalog.=) o2o.cluster_identifier())",
					false, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "o2o.change_seq() gives no number");
	seq = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
	/* A base that was there before this transaction stays: nobody changes it. */
	inserted_by = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &is_null);
	if (known.is_known && !is_null &&
		!TransactionIdIsCurrentTransactionId(DatumGetTransactionId(inserted_by)))
		known.seq_base = 1 + seq - (int64) U64FromFullTransactionId(GetTopFullTransactionId());
	SPI_finish();
	return seq;
}
