/*
 * request.h
 *		Requests: idempotency keys, claimed before anything else is touched, and
 *		the answers that a replay returns; see request.c.
 */
#ifndef O2O_REQUEST_H
#define O2O_REQUEST_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/relcache.h"
#include "utils/uuid.h"

/* The row of a key as it stands in the table. */
typedef struct O2ORequestRow
{
	text *operation;
	bytea *hash;
	Jsonb *result; /* NULL: none was kept */
} O2ORequestRow;

/* request.c */
extern void o2o_request_random(pg_uuid_t *id);
extern void o2o_request_key(const text *key, pg_uuid_t *id);
extern Jsonb *
o2o_request_claim(const text *key, text *operation, const char *payload, pg_uuid_t *id);
extern void o2o_request_finish(const pg_uuid_t *id, Jsonb *result);

/* request_row.c, for request.c alone */
extern Relation o2o_request_table(void);
extern bool o2o_request_row_claim(Relation table, const pg_uuid_t *id, text *operation, bytea *hash,
								  O2ORequestRow *row);
extern void o2o_request_row_finish(Relation table, const pg_uuid_t *id, Jsonb *result);

#endif /* O2O_REQUEST_H */
