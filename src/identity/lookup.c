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
#include "base/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* Whose tables were looked at. */
static O2OLookup *learned = NULL;

/* Something is, since we began to look. */
static bool is_changed;

static void
forget(Datum arg, Oid relation)
{
	is_changed = true;
	for (O2OLookup *lookup = learned; lookup != NULL; lookup = lookup->next)
		if (!OidIsValid(relation) || lookup->table_oid == relation || lookup->index_oid == relation)
			lookup->is_learned = false;
}

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
static void
learn(O2OLookup *lookup)
{
	static bool listens = false;
	Oid schema = get_namespace_oid("o2o", false);
	Relation table;

	if (!listens)
	{
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
		listens = true;
	}
	if (!lookup->is_listed)
	{
		lookup->is_listed = true;
		lookup->next = learned;
		learned = lookup;
	}
	lookup->is_plain = false;
	lookup->index_oid = InvalidOid;
	lookup->table_oid = get_relname_relid(lookup->table, schema);
	if (!OidIsValid(lookup->table_oid))
		return; /* SQL says what is missing */

	/* An error on the way leaves it unknown, and so does a change that comes while we look. */
	is_changed = false;
	table = table_open(lookup->table_oid, AccessShareLock);
	lookup->is_plain = o2o_relation_is_plain(table);
	for (int i = 0; i < lookup->columns && lookup->is_plain; i++)
	{
		lookup->number[i] = get_attnum(lookup->table_oid, lookup->column[i]);
		lookup->is_plain = lookup->number[i] != InvalidAttrNumber;
	}
	if (lookup->index != NULL && lookup->is_plain)
	{
		lookup->index_oid = get_relname_relid(lookup->index, schema);
		lookup->is_plain = OidIsValid(lookup->index_oid) && learn_index(lookup);
	}
	table_close(table, NoLock);
	lookup->is_learned = !is_changed;
}

/* Locks the table; afterwards is known what is known of it. False: it is for SQL. */
static bool
lock(O2OLookup *lookup)
{
	for (;;)
	{
		Oid table;

		if (!lookup->is_learned)
			learn(lookup);
		if (!lookup->is_plain)
			return false;
		table = lookup->table_oid;
		/* The lock lets changes be heard that came before it. */
		LockRelationOid(table, AccessShareLock);
		if (lookup->is_learned)
			break;
		UnlockRelationOid(table, AccessShareLock);
	}
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
