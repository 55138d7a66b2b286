/*
 * request.h
 *		Requests: idempotency keys, claimed before anything else is touched, and
 *		the answers that a replay returns; see request.c.
 */
#ifndef O2O_REQUEST_H
#define O2O_REQUEST_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/uuid.h"

extern void o2o_request_random(pg_uuid_t *id);
extern void o2o_request_key(const text *key, pg_uuid_t *id);
extern Jsonb *
o2o_request_claim(const text *key, text *operation, const char *payload, pg_uuid_t *id);
extern void o2o_request_finish(const pg_uuid_t *id, Jsonb *result);

#endif /* O2O_REQUEST_H */
