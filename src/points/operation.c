/*
 * operation.c
 *		The one table that says what an operation of the ledger means: who may
 *		be on the other side, which sign it has, what it does to a lot. Nothing
 *		of PostgreSQL here; o2o.points_operation() is in operation_sql.c.
 */
#include "points/operation.h"

#include <string.h>

/* Where granted points come from, and where spent ones go. */
#define GRANTERS "issuer", "partner_prepaid", "partner_postpaid"
#define SPENDERS "redeemed", "seller", "exchange"

const o2o_points_operation o2o_points_operations[] = {
	/* name, other side, above zero, below zero, lot above, lot below, may owe */
	{"earn", {GRANTERS}, true, false, POINTS_GRANTED, POINTS_NO_LOT, true},
	{"opening", {"issuer"}, true, true, POINTS_GRANTED, POINTS_NO_LOT, true},
	{"burn", {"redeemed"}, false, true, POINTS_NO_LOT, POINTS_CONSUMED, false},
	{"pay", {"seller"}, false, true, POINTS_NO_LOT, POINTS_CONSUMED, false},
	{"transfer_out", {"in_transit"}, false, true, POINTS_NO_LOT, POINTS_CONSUMED, false},
	{"transfer_in", {"in_transit"}, true, false, POINTS_GRANTED, POINTS_NO_LOT, false},
	{"expire", {"expired"}, true, true, POINTS_EXPIRED, POINTS_EXPIRED, false},
	{"refund", {SPENDERS}, true, false, POINTS_CONSUMED, POINTS_NO_LOT, false},
	{"clawback", {GRANTERS, "exchange"}, false, true, POINTS_NO_LOT, POINTS_CLAWED, true},
	{"reverse", {GRANTERS, "adjustment"}, true, true, POINTS_CLAWED, POINTS_CLAWED, true},
	{"adjust", {"adjustment"}, true, true, POINTS_GRANTED, POINTS_CLAWED, true},
	{"exchange_out", {"exchange"}, false, true, POINTS_NO_LOT, POINTS_CONSUMED, false},
	{"exchange_in", {"exchange"}, true, false, POINTS_GRANTED, POINTS_NO_LOT, true},
	{"settle", {"redeemed", "issuer"}, false, true, POINTS_NO_LOT, POINTS_NO_LOT, false},
	{"fund", {"issuer"}, true, false, POINTS_NO_LOT, POINTS_NO_LOT, false},
};

const size_t o2o_points_operation_count =
	sizeof(o2o_points_operations) / sizeof(o2o_points_operations[0]);

/* NULL where there is none of that name. */
const o2o_points_operation *
o2o_points_operation_find(const char *name, size_t length)
{
	for (size_t i = 0; i < o2o_points_operation_count; i++)
	{
		const o2o_points_operation *operation = &o2o_points_operations[i];

		if (strlen(operation->name) == length && memcmp(operation->name, name, length) == 0)
			return operation;
	}
	return NULL;
}

/* The column of points_lot, or NULL. */
const char *
o2o_points_effect_name(o2o_points_effect effect)
{
	static const char *const names[] = {NULL, "granted", "consumed", "expired", "clawed"};

	return names[effect];
}
