/*
 * model.h
 *		The statements that C runs on the model of the identity room; see model.c.
 */
#ifndef O2O_IDENTITY_MODEL_H
#define O2O_IDENTITY_MODEL_H

#include "postgres.h"

#include "executor/spi.h"
#include "utils/array.h"

typedef enum O2OModelStatement
{
	O2O_SELECT_COUNTRY,
	O2O_SELECT_KINDS,
	O2O_SELECT_BLOCKS,
	O2O_SELECT_SETTING,
	O2O_SELECT_IDENTIFIERS,
	O2O_SELECT_HOLDER,
	O2O_SELECT_TIME_TO_LIVE,
	O2O_INSERT_IDENTIFIERS,
	O2O_TOUCH_IDENTIFIER,
	O2O_RECYCLE_IDENTIFIER,
	O2O_SELECT_PERIOD,
	O2O_SELECT_PROFILES,
	O2O_SELECT_CUSTOMER,
	O2O_SELECT_MEMBERS,
	O2O_SELECT_PROFILE_KINDS,
	O2O_LOCK_CUSTOMER,
	O2O_SELECT_LINK,
	O2O_SELECT_CANNOT_LINK,
	O2O_NEXT_PROFILE,
	O2O_INSERT_PROFILES,
	O2O_INSERT_CUSTOMERS,
	O2O_GROW_CUSTOMER,
	O2O_RECORD_EVIDENCE,
	O2O_ABSORB_CUSTOMERS,
	O2O_SHARE_IDENTIFIER
} O2OModelStatement;

/* Arguments of a statement; those not given are NULL. */
#define O2O_MODEL_ARGS 8

typedef struct O2OModelCall
{
	Datum values[O2O_MODEL_ARGS];
	char nulls[O2O_MODEL_ARGS];
	int count;
} O2OModelCall;

static inline void
o2o_model_arg(O2OModelCall *call, Datum value, bool is_null)
{
	call->values[call->count] = value;
	call->nulls[call->count++] = is_null ? 'n' : ' ';
}

extern void o2o_model_connect(Oid identifier_type);
extern Oid o2o_identifier_type(void);
extern Oid o2o_model_identifier_type(void);
extern uint64 o2o_model_run(O2OModelStatement statement, O2OModelCall *call, bool read_only);
extern Datum o2o_model_value(uint64 row, int column, bool *is_null);
extern int64 o2o_model_int64(uint64 row, int column);
extern char *o2o_model_text(uint64 row, int column);
extern ArrayType *o2o_model_ids(const int64 *ids, int count);

#endif /* O2O_IDENTITY_MODEL_H */
