/*
 * relation.c
 *		Which tables C code may read without the executor, and for how long what it
 *		learned of them holds. What a room needs of its own tables beyond that
 *		(columns, indexes, rights) it looks at itself.
 *
 * Whoever uses what was learned locks the tables first, and looks whether it is
 * still known: the lock lets changes be heard that came before it.
 *
 *		do
 *		{
 *			if (!o2o_learned_is_plain(&learned))
 *				return false; (SQL does it)
 *			LockRelationOid(...);
 *		} while (!learned.is_known);
 */
#include "base/relation.h"

#include "o2o.h"

#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

/* Everybody who has learned something. */
static O2OLearned *all_learned = NULL;

/* Something has changed since somebody began to look. */
static bool is_changed;

/*
 * A heap of this node, of which an index and a snapshot show all that the executor
 * would. Citus puts a trigger on TRUNCATE of each of its tables.
 */
bool
o2o_relation_is_plain(Relation relation)
{
	return relation->rd_rel->relkind == RELKIND_RELATION &&
		   relation->rd_rel->relam == HEAP_TABLE_AM_OID && !relation->rd_rel->relispartition &&
		   !relation->rd_rel->relhassubclass && !relation->rd_rel->relrowsecurity &&
		   relation->rd_rules == NULL &&
		   (relation->trigdesc == NULL || (!relation->trigdesc->trig_truncate_before_statement &&
										   !relation->trigdesc->trig_truncate_after_statement));
}

/* A table of the model. */
Oid
o2o_relation_of_model(const char *name)
{
	Oid relation = get_relname_relid(name, get_namespace_oid("o2o", false));

	if (!OidIsValid(relation))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
						errmsg("relation \"o2o.%s\" does not exist", name),
						errhint("CALL o2o.setup() makes it.")));
	return relation;
}

static void
forget(Datum arg, Oid relation)
{
	is_changed = true;
	for (O2OLearned *learned = all_learned; learned != NULL; learned = learned->next)
	{
		if (learned->is_known &&
			(!OidIsValid(relation) || list_member_oid(learned->watched, relation)))
			learned->is_known = false;
	}
}

/* A change of the relation makes what was learned unknown. */
void
o2o_learned_watch(O2OLearned *learned, Oid relation)
{
	MemoryContext before = MemoryContextSwitchTo(CacheMemoryContext);

	learned->watched = lappend_oid(learned->watched, relation);
	MemoryContextSwitchTo(before);
}

static void
listen(O2OLearned *learned)
{
	if (learned->is_listed)
		return;
	if (all_learned == NULL)
		CacheRegisterRelcacheCallback(forget, (Datum) 0);
	learned->next = all_learned;
	all_learned = learned;
	learned->is_listed = true;
}

/* Looks at the relations unless they are known; whether they may be used without the executor. */
bool
o2o_learned_is_plain(O2OLearned *learned)
{
	while (!learned->is_known)
	{
		CHECK_FOR_INTERRUPTS();
		listen(learned);
		list_free(learned->watched);
		learned->watched = NIL;
		/* An error on the way leaves it unknown, and so does a change that comes while we look. */
		is_changed = false;
		learned->is_plain = learned->learn(learned);
		learned->is_known = !is_changed;
	}
	return learned->is_plain;
}
