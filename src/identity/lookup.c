/*
 * lookup.c
 *		Reads rows of the model by the key of an index, without a plan: for the few
 *		statements that every call of identify() runs. What they ask stands in
 *		model.c, beside the same in SQL.
 *
 * Where the table is not a plain one of this node, or the current user may not
 * read all of it, o2o_lookup_run() says so, and the statement goes through SQL,
 * where the server sees to policies, rules, other nodes and error messages.
 */
#include "identity/lookup.h"

#include "o2o.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Is it the index that the lookup means? Then its operators are kept. */
static bool
learn_index(O2OLookup *lookup)
{
	Relation index = index_open(lookup->index_oid, AccessShareLock);
	bool is_it = index->rd_rel->relam == BTREE_AM_OID && index->rd_index->indisvalid &&
				 index->rd_index->indrelid == lookup->table_oid &&
				 index->rd_index->indnkeyatts >= lookup->keys;

	for (int i = 0; i < lookup->keys && is_it; i++)
	{
		Oid type = index->rd_opcintype[i];
		AttrNumber number = get_attnum(lookup->table_oid, lookup->key[i]);
		Oid equal = get_opfamily_member(index->rd_opfamily[i], type, type, BTEqualStrategyNumber);

		is_it = number != InvalidAttrNumber && index->rd_index->indkey.values[i] == number &&
				OidIsValid(equal);
		if (!is_it)
			break;
		fmgr_info_cxt(get_opcode(equal), &lookup->equal[i], CacheMemoryContext);
		lookup->collation[i] = index->rd_indcollation[i];
	}
	index_close(index, NoLock);
	return is_it;
}

/* Looks at the table and the index. */
static bool
learn(O2OLearned *learned)
{
	O2OLookup *lookup = (O2OLookup *) ((char *) learned - offsetof(O2OLookup, learned));
	Relation table;
	bool is_plain;

	lookup->table_oid = o2o_relation_of_model(lookup->table);
	o2o_learned_watch(learned, lookup->table_oid);
	table = table_open(lookup->table_oid, AccessShareLock);
	is_plain = o2o_relation_is_plain(table);
	for (int i = 0; i < lookup->columns && is_plain; i++)
	{
		lookup->number[i] = get_attnum(lookup->table_oid, lookup->column[i]);
		is_plain = lookup->number[i] != InvalidAttrNumber;
	}
	if (lookup->index != NULL && is_plain)
	{
		lookup->index_oid = get_relname_relid(lookup->index, RelationGetNamespace(table));
		is_plain = OidIsValid(lookup->index_oid) && learn_index(lookup);
		o2o_learned_watch(learned, lookup->index_oid);
	}
	table_close(table, NoLock);
	return is_plain;
}

/* Locks the table; afterwards is known what is known of it. False: it is for SQL. */
static bool
lock(O2OLookup *lookup)
{
	lookup->learned.learn = learn;
	do
	{
		if (!o2o_learned_is_plain(&lookup->learned))
			return false;
		LockRelationOid(lookup->table_oid, AccessShareLock);
	} while (!lookup->learned.is_known);
	return pg_class_aclcheck(lookup->table_oid, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/* Keeps a row. */
static void
keep(const O2OLookup *lookup, TupleTableSlot *slot, O2OFound *found)
{
	if (found->count == found->room)
	{
		uint64 room = found->room == 0 ? 8 : found->room * 2;
		size_t values = room * lookup->columns * sizeof(Datum);
		size_t nulls = room * lookup->columns * sizeof(bool);

		found->values = found->room == 0 ? palloc(values) : repalloc(found->values, values);
		found->nulls = found->room == 0 ? palloc(nulls) : repalloc(found->nulls, nulls);
		found->room = room;
	}
	for (int i = 0; i < lookup->columns; i++)
	{
		Form_pg_attribute attribute =
			TupleDescAttr(slot->tts_tupleDescriptor, lookup->number[i] - 1);
		uint64 at = found->count * lookup->columns + i;

		found->values[at] = slot_getattr(slot, lookup->number[i], &found->nulls[at]);
		if (!found->nulls[at] && !attribute->attbyval)
			found->values[at] = datumCopy(found->values[at], false, attribute->attlen);
	}
	found->count++;
}

static void
find(const O2OLookup *lookup, Relation table, const Datum *arguments, TupleTableSlot *slot,
	 O2OFound *found)
{
	Relation index = index_open(lookup->index_oid, AccessShareLock);
	IndexScanDesc scan = o2o_index_beginscan(table, index, GetActiveSnapshot(), lookup->keys);
	ScanKeyData key[O2O_LOOKUP_KEYS];
	Datum *elements = NULL;
	int count = 1;

	if (lookup->is_any)
	{
		ArrayType *array = DatumGetArrayTypeP(arguments[0]);
		int16 length;
		bool is_byval;
		char alignment;

		get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &is_byval, &alignment);
		deconstruct_array(array, ARR_ELEMTYPE(array), length, is_byval, alignment, &elements, NULL,
						  &count);
	}
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < lookup->keys; j++)
			ScanKeyEntryInitializeWithInfo(&key[j], 0, j + 1, BTEqualStrategyNumber, InvalidOid,
										   lookup->collation[j], (FmgrInfo *) &lookup->equal[j],
										   lookup->is_any ? elements[i] : arguments[j]);
		index_rescan(scan, key, lookup->keys, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
			keep(lookup, slot, found);
	}
	index_endscan(scan);
	index_close(index, NoLock);
}

static void
find_all(const O2OLookup *lookup, Relation table, TupleTableSlot *slot, O2OFound *found)
{
	TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		CHECK_FOR_INTERRUPTS();
		keep(lookup, slot, found);
	}
	table_endscan(scan);
}

/*
 * Runs a lookup, in the place of its statement. Of an array of keys each is asked
 * as often as it stands there. A read-only one sees what its caller's snapshot
 * sees, another what is committed by now. False: nothing was looked up, SQL must.
 */
bool
o2o_lookup_run(O2OLookup *lookup, const Datum *arguments, const char *nulls, bool read_only,
			   O2OFound *found)
{
	Relation table;
	TupleTableSlot *slot;

	if (lookup->table == NULL || !lock(lookup))
		return false;
	memset(found, 0, sizeof(O2OFound));
	found->columns = lookup->columns;
	for (int i = 0; i < lookup->keys; i++)
		if ((lookup->is_any ? nulls[0] : nulls[i]) == 'n')
			return true; /* equals nothing */
	if (!read_only)
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	table = table_open(lookup->table_oid, NoLock);
	slot = table_slot_create(table, NULL);
	if (lookup->index != NULL)
		find(lookup, table, arguments, slot, found);
	else
		find_all(lookup, table, slot, found);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	if (!read_only)
		PopActiveSnapshot();
	return true;
}
