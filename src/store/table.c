/*
 * table.c
 *		The tables of places and of their exceptional days, read without the executor: which
 *		they are, and whether they are what setup() made. What is looked for in
 *		them lives in search.c and hours.c.
 */
#include "o2o.h"
#include "store/store.h"

#include "access/nbtree.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "base/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "geo/geo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

typedef struct StoreTable
{
	const char *name;
	int columns;
	const char *column[PLACE_COLUMNS];
} StoreTable;

static const StoreTable store_tables[O2O_STORE_TABLES] = {
	[O2O_STORE_LOCATION] = {"location",
							PLACE_COLUMNS,
							{"location_id", "name", "kind", "roles", "services", "position",
							 "time_zone", "week_hours", "opened_on", "closed_on"}},
	[O2O_STORE_EXCEPTION] = {"location_hours_exception",
							 EXCEPTION_COLUMNS,
							 {"location_id", "day", "opens", "closes"}},
};

static O2oStoreTables known;

/* Rows that a snapshot and an index find are all that the executor would show of such a table. */
static bool
is_plain_table(Relation relation, O2oStoreTable table)
{
	const StoreTable *spec = &store_tables[table];

	if (!o2o_relation_is_plain(relation))
		return false;
	for (int i = 0; i < spec->columns; i++)
	{
		known.column[table][i] = get_attnum(RelationGetRelid(relation), spec->column[i]);
		if (known.column[table][i] == InvalidAttrNumber)
			return false;
	}
	return true;
}

/* The function of an operator of the index's first column, or invalid. */
static Oid
family_function(Relation index, Oid right, StrategyNumber strategy)
{
	Oid operator=
		get_opfamily_member(index->rd_opfamily[0], index->rd_opcintype[0], right, strategy);

	return OidIsValid(operator) ? get_opcode(operator) : InvalidOid;
}

static Oid
circle_type(void)
{
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("geocircle"),
						   ObjectIdGetDatum(get_namespace_oid("o2o", false)));
}

/* An index on the position that gives the order of distances, or one whose first keys are place and day. */
static bool
is_the_index(Relation index, O2oStoreTable table)
{
	const AttrNumber *column = known.column[table];
	Form_pg_index form = index->rd_index;
	Oid nearest;
	Oid within;

	if (!form->indisvalid || form->indcheckxmin || RelationGetIndexPredicate(index) != NIL)
		return false;
	if (table != O2O_STORE_LOCATION)
		return index->rd_rel->relam == BTREE_AM_OID && form->indnkeyatts >= 2 &&
			   form->indkey.values[0] == column[EXCEPTION_PLACE] &&
			   form->indkey.values[1] == column[EXCEPTION_DAY] &&
			   (index->rd_indoption[0] & INDOPTION_DESC) == 0 &&
			   (index->rd_indoption[1] & INDOPTION_DESC) == 0;
	if (index->rd_rel->relam != SPGIST_AM_OID || form->indkey.values[0] != column[PLACE_POSITION])
		return false;
	nearest = family_function(index, index->rd_opcintype[0], O2O_GEO_NEAREST);
	within = family_function(index, circle_type(), O2O_GEO_IN_CIRCLE);
	if (!OidIsValid(nearest) || !OidIsValid(within))
		return false;
	known.distance = nearest;
	known.in_circle = within;
	return true;
}

static Oid
index_of(Relation relation, O2oStoreTable table)
{
	List *list = RelationGetIndexList(relation);
	ListCell *cell;
	Oid found = InvalidOid;

	foreach (cell, list)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (is_the_index(index, table))
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
		if (OidIsValid(found))
			break;
	}
	list_free(list);
	return found;
}

/* Looks at the tables and their indexes. */
static bool
learn(O2OLearned *learned)
{
	memset(&known, 0, sizeof(known));
	for (int i = 0; i < O2O_STORE_TABLES; i++)
	{
		Relation relation;

		known.table[i] = o2o_relation_of_model(store_tables[i].name);
		o2o_learned_watch(learned, known.table[i]);
		relation = table_open(known.table[i], AccessShareLock);
		if (is_plain_table(relation, i))
			known.index[i] = index_of(relation, i);
		table_close(relation, NoLock);
		if (!OidIsValid(known.index[i]))
			return false;
		o2o_learned_watch(learned, known.index[i]);
	}
	return true;
}

static O2OLearned learned = {.learn = learn};

/*
 * The tables, locked until the transaction ends as the executor would, or NULL where
 * they can be read by the executor alone. Whoever calls needs SELECT on each.
 */
const O2oStoreTables *
o2o_store_tables(void)
{
	do
	{
		if (!o2o_learned_is_plain(&learned))
			return NULL;
		for (int i = 0; i < O2O_STORE_TABLES; i++)
		{
			LockRelationOid(known.table[i], AccessShareLock);
			if (pg_class_aclcheck(known.table[i], GetUserId(), ACL_SELECT) != ACLCHECK_OK)
				aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, store_tables[i].name);
		}
	} while (!learned.is_known);
	return &known;
}

/* A table that o2o_store_tables() gave, and its index. */
void
o2o_store_reader_open(O2oStoreReader *reader, const O2oStoreTables *tables, O2oStoreTable table)
{
	reader->table = table_open(tables->table[table], NoLock);
	reader->index = index_open(tables->index[table], AccessShareLock);
	reader->slot = table_slot_create(reader->table, NULL);
	reader->column = tables->column[table];
	reader->scan = NULL;
}

void
o2o_store_reader_close(O2oStoreReader *reader)
{
	if (reader->scan != NULL)
		index_endscan(reader->scan);
	ExecDropSingleTupleTableSlot(reader->slot);
	index_close(reader->index, NoLock);
	table_close(reader->table, NoLock);
}
