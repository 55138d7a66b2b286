/*
 * operation.h
 *		What each operation of the ledger means, for the writer, the audit and
 *		o2o.points_operation(). The table itself is in operation.c.
 */
#ifndef O2O_POINTS_OPERATION_H
#define O2O_POINTS_OPERATION_H

#include <stddef.h>
#include <stdbool.h>

/* Which column of points_lot an amount goes to. Granted counts it as it is, the others with the opposite sign. */
typedef enum o2o_points_effect
{
	POINTS_NO_LOT,
	POINTS_GRANTED,
	POINTS_CONSUMED,
	POINTS_EXPIRED,
	POINTS_CLAWED
} o2o_points_effect;

typedef struct o2o_points_operation
{
	const char *name;
	const char *contra_kinds[4]; /* kinds of account on the other side */
	bool above_zero;             /* may such an amount be posted? */
	bool below_zero;
	o2o_points_effect lot_above_zero;
	o2o_points_effect lot_below_zero;
	bool owes; /* may make or repay a debt */
} o2o_points_operation;

extern const o2o_points_operation o2o_points_operations[];
extern const size_t o2o_points_operation_count;

extern const o2o_points_operation *o2o_points_operation_find(const char *name, size_t length);
extern const char *o2o_points_effect_name(o2o_points_effect effect);

#endif /* O2O_POINTS_OPERATION_H */
