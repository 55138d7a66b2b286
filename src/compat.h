/*
 * compat.h
 *		The only place that asks for the server's version (15 to 18).
 *		Shims live here; what they are used for lives in the rooms.
 */
#ifndef O2O_COMPAT_H
#define O2O_COMPAT_H

#include "postgres.h"

#include "access/tableam.h"

#if PG_VERSION_NUM < 150000
#error "O2O needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#include "nodes/miscnodes.h"
#define O2O_SOFT_ERRORS 1
#else
/* PostgreSQL 15 has no soft errors: a bad input is always a hard error. */
struct Node;
#define ereturn(escontext, dummy_value, ...) \
	do                                       \
	{                                        \
		(void) (escontext);                  \
		ereport(ERROR, __VA_ARGS__);         \
		return dummy_value;                  \
	} while (0)
#endif

/* The mark of a function that does not return, before its declaration since 18. */
#ifndef pg_noreturn
#define pg_noreturn _Noreturn
#endif

/* The numbered entries of the backends' status, from 1. */
#if PG_VERSION_NUM >= 160000
#define o2o_local_backend_status(i) pgstat_get_local_beentry_by_index(i)
#else
#define o2o_local_backend_status(i) pgstat_fetch_stat_local_beentry(i)
#endif

/* Index scans count their searches since 18. */
#if PG_VERSION_NUM >= 180000
#define o2o_index_beginscan(heap, index, snapshot, keys) \
	index_beginscan(heap, index, snapshot, NULL, keys, 0)
#define o2o_index_beginscan_ordered(heap, index, snapshot, keys, orders) \
	index_beginscan(heap, index, snapshot, NULL, keys, orders)
#else
#define o2o_index_beginscan(heap, index, snapshot, keys) \
	index_beginscan(heap, index, snapshot, keys, 0)
#define o2o_index_beginscan_ordered(heap, index, snapshot, keys, orders) \
	index_beginscan(heap, index, snapshot, keys, orders)
#endif

/* Which indexes want an entry after an update: all or none, and since 16 the summarizing ones alone. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes o2o_update_indexes;
#define o2o_update_passes_over(which, info) ((which) == TU_Summarizing && !(info)->ii_Summarizing)
#define O2O_UPDATE_ALL_INDEXES TU_All
#define O2O_UPDATE_NO_INDEX TU_None
#else
typedef bool o2o_update_indexes;
#define o2o_update_passes_over(which, info) (!(which))
#define O2O_UPDATE_ALL_INDEXES true
#define O2O_UPDATE_NO_INDEX false
#endif

/* Since 17 an index may keep something open between insertions. */
#if PG_VERSION_NUM >= 170000
#define o2o_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define o2o_index_insert_cleanup(index, info) ((void) (info))
#endif

/* A row that may be there already: looked for, then its entries in the indexes made. */
#if PG_VERSION_NUM >= 180000
#define o2o_exec_check_constraints(target, slot, state, other) \
	ExecCheckIndexConstraints(target, slot, state, other, &(ItemPointerData){0}, NIL)
#else
#define o2o_exec_check_constraints(target, slot, state, other) \
	ExecCheckIndexConstraints(target, slot, state, other, NIL)
#endif
#if PG_VERSION_NUM >= 160000
#define o2o_exec_insert_indexes(target, slot, state, is_speculative, is_late) \
	ExecInsertIndexTuples(target, slot, state, false, is_speculative, is_late, NIL, false)
#else
#define o2o_exec_insert_indexes(target, slot, state, is_speculative, is_late) \
	ExecInsertIndexTuples(target, slot, state, false, is_speculative, is_late, NIL)
#endif

/* ANALYZE and VACUUM rest by their own settings since 18. */
#if PG_VERSION_NUM >= 180000
#define o2o_analyze_delay_point() vacuum_delay_point(true)
#else
#define o2o_analyze_delay_point() vacuum_delay_point()
#endif

/* Options of operator classes are no longer kept beside the index since 17. */
#if PG_VERSION_NUM >= 170000
#define o2o_index_info_drop_options(info) ((void) (info))
#else
#define o2o_index_info_drop_options(info) ((info)->ii_OpclassOptions = NULL)
#endif

#endif /* O2O_COMPAT_H */
