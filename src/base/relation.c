/*
 * relation.c
 *		Which tables C code may read without the executor. What a room needs of its
 *		own tables beyond that (columns, indexes, rights) it looks at itself.
 */
#include "base/relation.h"

#include "o2o.h"

#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "utils/rel.h"

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
