/*
 * chain.h
 *		The hash chain of an account: what a posting's link covers, and how the
 *		writer and points_verify() compute it. Blocks over many accounts are in
 *		merkle.c.
 */
#ifndef O2O_POINTS_CHAIN_H
#define O2O_POINTS_CHAIN_H

#include "o2o.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/uuid.h"

#define O2O_POINTS_LINK_SIZE 32

/* The columns of points_posting that a link covers: all but chain and reason. */
typedef struct o2o_points_chained
{
	int64 profile_id;
	int64 account_id;
	int64 version;
	int64 transfer_id;
	int64 contra_account_id;
	const char *operation; /* texts need no end, their lengths follow */
	int operation_length;
	int64 amount;
	int64 balance;
	bool has_lot; /* the next three are NULL otherwise */
	TimestampTz expires_at;
	DateADT grant_month;
	const char *funding;
	int funding_length;
	const pg_uuid_t *request_id;
	int64 acting_profile_id;
	int64 customer_id;
	const char *reference; /* NULL: none */
	int reference_length;
	TimestampTz occurred_at;
	TimestampTz posted_at;
	const char *posted_by;
	int posted_by_length;
	bool is_reversing; /* the next one is NULL otherwise */
	int64 reverses_transfer_id;
	int64 seq;
} o2o_points_chained;

/* One for many links: begin in the call that ends it, an error takes it away. */
typedef struct o2o_points_chain o2o_points_chain;

extern o2o_points_chain *o2o_points_chain_begin(void);
extern void o2o_points_chain_link(o2o_points_chain *chain, const uint8 *previous,
								  const o2o_points_chained *posting, uint8 *link);
extern void
o2o_points_chain_hash(o2o_points_chain *chain, const void *data, size_t length, uint8 *hash);
extern void o2o_points_chain_end(o2o_points_chain *chain);

#endif /* O2O_POINTS_CHAIN_H */
