/*
 * ledger_shape.c
 *		Are the tables of the ledger what setup() made: plain heaps of this node,
 *		without triggers, rules, policies, children, defaults or checks that C
 *		code would have to obey? And which columns and indexes are which.
 */
#include "points/ledger_shape.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

/* A predicate of a partial index, ready to run. */
typedef struct ledger_predicate
{
	Oid index;
	List *source;
	ExprState *state;
} ledger_predicate;

const ledger_table_spec o2o_ledger_tables[LEDGER_TABLES] = {
	{"points_account",
	 ACCOUNT_COLUMNS,
	 {"profile_id", "account_id", "program", "kind", "version", "balance", "held", "debt",
	  "posted_at", "chain", "closed_at"},
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
	{"customer", CUSTOMER_COLUMNS, {"customer_id"}, ACL_SELECT, ACL_UPDATE, 0},
	{"points_program",
	 PROGRAM_COLUMNS,
	 {"program", "scale", "expires_after", "expires_round", "time_zone", "reserve_policy",
	  "expires_at", "inactive_after"},
	 ACL_SELECT,
	 0,
	 0},
	{"points_system_account", SYSTEM_COLUMNS, {"account_id", "program", "kind"}, ACL_SELECT, 0, 0},
};

const ledger_index_spec o2o_ledger_indexes[LEDGER_INDEXES] = {
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
	{LEDGER_CUSTOMER, true, 1, {CUSTOMER_ID}, {F_INT8EQ}},
	{LEDGER_PROGRAM, true, 1, {PROGRAM_PROGRAM}, {F_TEXTEQ}},
	{LEDGER_SYSTEM, true, 2, {SYSTEM_PROGRAM, SYSTEM_KIND}, {F_TEXTEQ, F_TEXTEQ}},
};

o2o_ledger_knowledge o2o_ledger_known;

/* Roles have changed, or who belongs to whom. */
static void
forget_user(Datum arg, int cache, uint32 hash)
{
	o2o_ledger_known.user = InvalidOid;
}

AttrNumber
o2o_ledger_column(o2o_ledger_table table, int column)
{
	return o2o_ledger_known.column[table][column];
}

/* Whether rows of a table may be written without the executor. */
static bool
is_plain_table(Relation relation, o2o_ledger_table table)
{
	const ledger_table_spec *spec = &o2o_ledger_tables[table];
	TupleDesc shape = RelationGetDescr(relation);
	int matched = 0;

	if (!o2o_relation_is_plain(relation))
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
			o2o_ledger_known.column[table][column] = attribute->attnum;
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
			is_it = form->indkey.values[i] == o2o_ledger_known.column[spec->table][spec->key[i]] &&
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

/* All indexes of a table that rows are inserted into; false where one wants more than its columns. */
static bool
learn_entries(Relation relation, o2o_ledger_table table)
{
	List *list = RelationGetIndexList(relation);
	ListCell *cell;
	bool is_simple = list_length(list) <= LEDGER_ENTRIES;

	foreach (cell, list)
	{
		Relation index;
		IndexInfo *info;
		ledger_entry *entry;

		if (!is_simple)
			break;
		index = index_open(lfirst_oid(cell), AccessShareLock);
		info = BuildIndexInfo(index);
		entry = &o2o_ledger_known.entry[table][o2o_ledger_known.entries[table]++];
		is_simple = info->ii_Expressions == NIL && info->ii_ExclusionOps == NULL &&
					index->rd_index->indimmediate;
		entry->index = RelationGetRelid(index);
		entry->predicate = is_simple && info->ii_Predicate != NIL
							   ? prepared_predicate(entry->index, info->ii_Predicate)
							   : NULL;
		entry->is_seq_summary =
			table == LEDGER_POSTING && index->rd_rel->relam == BRIN_AM_OID &&
			info->ii_NumIndexAttrs == 1 &&
			info->ii_IndexAttrNumbers[0] == o2o_ledger_known.column[table][POSTING_SEQ];
		/* What the copy points at would be gone with the call. */
		info->ii_Predicate = NIL;
		o2o_index_info_drop_options(info);
		entry->info = *info;
		index_close(index, AccessShareLock);
	}
	list_free(list);
	return is_simple;
}

/* A copy of the shape of its rows, which stands: somebody may still have a row of the one before. */
static void
learn_shape(Relation relation, o2o_ledger_table table)
{
	TupleDesc *known = &o2o_ledger_known.shape[table];
	MemoryContext before = MemoryContextSwitchTo(CacheMemoryContext);

	/* Statistics make the tables unknown as well, and often. */
	if (*known == NULL || !equalTupleDescs(*known, RelationGetDescr(relation)))
		*known = CreateTupleDescCopy(RelationGetDescr(relation));
	MemoryContextSwitchTo(before);
}

/* A table and its indexes; false: not what setup() made. */
static bool
learn_table(O2OLearned *learned, o2o_ledger_table table)
{
	Relation relation = table_open(o2o_ledger_known.table[table], AccessShareLock);
	bool is_plain = is_plain_table(relation, table);

	for (int i = 0; i < LEDGER_INDEXES && is_plain; i++)
	{
		if (o2o_ledger_indexes[i].table != table)
			continue;
		o2o_ledger_known.index[i] = index_of(relation, &o2o_ledger_indexes[i]);
		o2o_learned_watch(learned, o2o_ledger_known.index[i]);
		is_plain = OidIsValid(o2o_ledger_known.index[i]);
	}
	if (is_plain && o2o_ledger_tables[table].writes != 0)
	{
		learn_shape(relation, table);
		is_plain = learn_entries(relation, table);
		for (int i = 0; i < o2o_ledger_known.entries[table]; i++)
			o2o_learned_watch(learned, o2o_ledger_known.entry[table][i].index);
	}
	table_close(relation, NoLock);
	return is_plain;
}

/* Looks at the tables and their indexes. */
static bool
learn(O2OLearned *learned)
{
	static bool listens = false;

	if (!listens)
	{
		CacheRegisterSyscacheCallback(AUTHOID, forget_user, (Datum) 0);
		CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, forget_user, (Datum) 0);
		listens = true;
	}
	o2o_ledger_known.seq_base = 0;
	o2o_ledger_known.user = InvalidOid;
	memset(o2o_ledger_known.table, 0, sizeof(o2o_ledger_known.table));
	memset(o2o_ledger_known.index, 0, sizeof(o2o_ledger_known.index));
	memset(o2o_ledger_known.entries, 0, sizeof(o2o_ledger_known.entries));
	o2o_ledger_known.transfers = o2o_relation_of_model("points_transfer_id_seq");
	o2o_learned_watch(learned, o2o_ledger_known.transfers);
	o2o_learned_watch(learned, o2o_relation_of_model("change_base"));
	for (int i = 0; i < LEDGER_TABLES; i++)
	{
		o2o_ledger_known.table[i] = o2o_relation_of_model(o2o_ledger_tables[i].name);
		o2o_learned_watch(learned, o2o_ledger_known.table[i]);
		if (!learn_table(learned, i))
			return false;
	}
	return true;
}

O2OLearned o2o_ledger_learned = {.learn = learn};
