/*
 * chain.c
 *		The hash chain of an account. A link is SHA-256 over the link before it
 *		and the columns of one posting, so that no posting can be changed, taken
 *		out or put between without changing every link after it.
 *
 * What is hashed, in this order: the byte 1 (this form); the link before, 32
 * bytes, zeros for the first; then the columns in the order of
 * o2o_points_chained. Numbers take 8 bytes, the highest first; a time is its
 * microseconds since 2000-01-01 UTC, a date its days, points their units of
 * 1/10000. Text is its length as such a number and its bytes in the encoding of
 * the database. What may be NULL (the lot, reference, reverses_transfer_id) has
 * a byte 0 or 1 before it. reason is left out: free text must stay erasable.
 */
#include "points/points.h"
#include "points/chain.h"

#include "common/cryptohash.h"
#include "common/sha2.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_points_chain_of);

#define CHAIN_FORM 1

struct o2o_points_chain
{
	pg_cryptohash_ctx *context;
	StringInfoData text;
};

o2o_points_chain *
o2o_points_chain_begin(void)
{
	o2o_points_chain *chain = palloc(sizeof(o2o_points_chain));

	chain->context = pg_cryptohash_create(PG_SHA256);
	initStringInfo(&chain->text);
	return chain;
}

void
o2o_points_chain_end(o2o_points_chain *chain)
{
	pg_cryptohash_free(chain->context);
	pfree(chain->text.data);
	pfree(chain);
}

/* SHA-256 of some bytes. */
void
o2o_points_chain_hash(o2o_points_chain *chain, const void *data, size_t length, uint8 *hash)
{
	if (pg_cryptohash_init(chain->context) < 0 ||
		pg_cryptohash_update(chain->context, data, length) < 0 ||
		pg_cryptohash_final(chain->context, hash, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(chain->context));
}

static void
put_number(StringInfo text, int64 number)
{
	uint64 ordered = pg_hton64((uint64) number);

	appendBinaryStringInfo(text, (const char *) &ordered, sizeof(ordered));
}

static void
put_text(StringInfo text, const char *data, int length)
{
	put_number(text, length);
	appendBinaryStringInfo(text, data, length);
}

/* The link of a posting after the link before it; NULL: it is the first. */
void
o2o_points_chain_link(o2o_points_chain *chain, const uint8 *previous,
					  const o2o_points_chained *posting, uint8 *link)
{
	static const uint8 none[O2O_POINTS_LINK_SIZE];
	StringInfo text = &chain->text;

	resetStringInfo(text);
	appendStringInfoCharMacro(text, CHAIN_FORM);
	appendBinaryStringInfo(text, (const char *) (previous ? previous : none), O2O_POINTS_LINK_SIZE);
	put_number(text, posting->profile_id);
	put_number(text, posting->account_id);
	put_number(text, posting->version);
	put_number(text, posting->transfer_id);
	put_number(text, posting->contra_account_id);
	put_text(text, posting->operation, posting->operation_length);
	put_number(text, posting->amount);
	put_number(text, posting->balance);
	appendStringInfoCharMacro(text, posting->has_lot);
	if (posting->has_lot)
	{
		put_number(text, posting->expires_at);
		put_number(text, posting->grant_month);
		put_text(text, posting->funding, posting->funding_length);
	}
	appendBinaryStringInfo(text, (const char *) posting->request_id->data, UUID_LEN);
	put_number(text, posting->acting_profile_id);
	put_number(text, posting->customer_id);
	appendStringInfoCharMacro(text, posting->reference != NULL);
	if (posting->reference != NULL)
		put_text(text, posting->reference, posting->reference_length);
	put_number(text, posting->occurred_at);
	put_number(text, posting->posted_at);
	put_text(text, posting->posted_by, posting->posted_by_length);
	appendStringInfoCharMacro(text, posting->is_reversing);
	if (posting->is_reversing)
		put_number(text, posting->reverses_transfer_id);
	put_number(text, posting->seq);
	o2o_points_chain_hash(chain, text->data, text->len, link);
}

/* The arguments of points_chain(): the link before, then the columns of a posting. */
enum
{
	ARG_PREVIOUS,
	ARG_PROFILE_ID,
	ARG_ACCOUNT_ID,
	ARG_VERSION,
	ARG_TRANSFER_ID,
	ARG_CONTRA_ACCOUNT_ID,
	ARG_OPERATION,
	ARG_AMOUNT,
	ARG_BALANCE,
	ARG_EXPIRES_AT,
	ARG_GRANT_MONTH,
	ARG_FUNDING,
	ARG_REQUEST_ID,
	ARG_ACTING_PROFILE_ID,
	ARG_CUSTOMER_ID,
	ARG_REFERENCE,
	ARG_OCCURRED_AT,
	ARG_POSTED_AT,
	ARG_POSTED_BY,
	ARG_REVERSES_TRANSFER_ID,
	ARG_SEQ
};

/* A text argument as it lies; NULL where it is NULL. */
static const char *
text_argument(FunctionCallInfo fcinfo, int number, int *length)
{
	text *value;

	if (PG_ARGISNULL(number))
		return NULL;
	value = PG_GETARG_TEXT_PP(number);
	*length = VARSIZE_ANY_EXHDR(value);
	return VARDATA_ANY(value);
}

/* The link of one posting, for writers in SQL. */
Datum
o2o_points_chain_of(PG_FUNCTION_ARGS)
{
	o2o_points_chain *chain;
	o2o_points_chained posting = {0};
	const uint8 *previous = NULL;
	bytea *link = palloc(VARHDRSZ + O2O_POINTS_LINK_SIZE);

	for (int i = 0; i < fcinfo->nargs; i++)
	{
		if (i == ARG_PREVIOUS || i == ARG_EXPIRES_AT || i == ARG_GRANT_MONTH || i == ARG_FUNDING ||
			i == ARG_REFERENCE || i == ARG_REVERSES_TRANSFER_ID)
			continue;
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	if (!PG_ARGISNULL(ARG_PREVIOUS))
	{
		bytea *value = PG_GETARG_BYTEA_PP(ARG_PREVIOUS);

		if (VARSIZE_ANY_EXHDR(value) != O2O_POINTS_LINK_SIZE)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("a link of a hash chain has %d bytes", O2O_POINTS_LINK_SIZE)));
		previous = (const uint8 *) VARDATA_ANY(value);
	}
	posting.profile_id = PG_GETARG_INT64(ARG_PROFILE_ID);
	posting.account_id = PG_GETARG_INT64(ARG_ACCOUNT_ID);
	posting.version = PG_GETARG_INT64(ARG_VERSION);
	posting.transfer_id = PG_GETARG_INT64(ARG_TRANSFER_ID);
	posting.contra_account_id = PG_GETARG_INT64(ARG_CONTRA_ACCOUNT_ID);
	posting.operation = text_argument(fcinfo, ARG_OPERATION, &posting.operation_length);
	posting.amount = PG_GETARG_POINTS(ARG_AMOUNT);
	posting.balance = PG_GETARG_POINTS(ARG_BALANCE);
	posting.has_lot = !PG_ARGISNULL(ARG_EXPIRES_AT) && !PG_ARGISNULL(ARG_GRANT_MONTH) &&
					  !PG_ARGISNULL(ARG_FUNDING);
	if (posting.has_lot)
	{
		posting.expires_at = PG_GETARG_TIMESTAMPTZ(ARG_EXPIRES_AT);
		posting.grant_month = PG_GETARG_DATEADT(ARG_GRANT_MONTH);
		posting.funding = text_argument(fcinfo, ARG_FUNDING, &posting.funding_length);
	}
	posting.request_id = PG_GETARG_UUID_P(ARG_REQUEST_ID);
	posting.acting_profile_id = PG_GETARG_INT64(ARG_ACTING_PROFILE_ID);
	posting.customer_id = PG_GETARG_INT64(ARG_CUSTOMER_ID);
	posting.reference = text_argument(fcinfo, ARG_REFERENCE, &posting.reference_length);
	posting.occurred_at = PG_GETARG_TIMESTAMPTZ(ARG_OCCURRED_AT);
	posting.posted_at = PG_GETARG_TIMESTAMPTZ(ARG_POSTED_AT);
	posting.posted_by = text_argument(fcinfo, ARG_POSTED_BY, &posting.posted_by_length);
	posting.is_reversing = !PG_ARGISNULL(ARG_REVERSES_TRANSFER_ID);
	if (posting.is_reversing)
		posting.reverses_transfer_id = PG_GETARG_INT64(ARG_REVERSES_TRANSFER_ID);
	posting.seq = PG_GETARG_INT64(ARG_SEQ);

	SET_VARSIZE(link, VARHDRSZ + O2O_POINTS_LINK_SIZE);
	chain = o2o_points_chain_begin();
	o2o_points_chain_link(chain, previous, &posting, (uint8 *) VARDATA(link));
	o2o_points_chain_end(chain);
	PG_RETURN_BYTEA_P(link);
}
