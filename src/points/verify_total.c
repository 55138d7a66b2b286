/*
 * verify_total.c
 *		points_verify(), over all accounts: what the accounts without a row got as
 *		the other side of postings, against the rollup and against the balances
 *		of the accounts with a row. One account is judged in verify_account.c.
 */
#include "points/verify.h"

/* The account as other side; NULL: there is none, or it keeps a balance of its own. */
o2o_verify_contra *
o2o_verify_contra_of(o2o_verify *verify, int64 account_id)
{
	if (verify->last_contra == NULL || verify->last_contra->account_id != account_id)
		verify->last_contra = hash_search(verify->contras, &account_id, HASH_FIND, NULL);
	return verify->last_contra;
}

/*
 * Take one posting to its other side. One that the snapshot has counts only in
 * what lies above the horizon, which may be older than the snapshot.
 */
void
o2o_verify_contra_post(o2o_verify *verify, o2o_verify_contra *contra, int64 amount, int64 seq,
					   bool in_snapshot)
{
	if (!in_snapshot)
		contra->total -= amount;
	if (seq >= verify->horizon)
		contra->above -= amount;
}

/* All accounts have passed: the rollup, and the sum of everything in a program. */
void
o2o_verify_totals(o2o_verify *verify)
{
	HASH_SEQ_STATUS scan;
	o2o_verify_contra *contra;

	hash_seq_init(&scan, verify->contras);
	while ((contra = hash_seq_search(&scan)) != NULL)
	{
		o2o_int128 below = contra->total - contra->above;

		if (contra->rollup != below)
			o2o_verify_report(verify, "rollup", contra->program, false,
							  "account " INT64_FORMAT ": rollup %s, postings below the horizon %s",
							  contra->account_id, o2o_verify_points(contra->rollup),
							  o2o_verify_points(below));
		verify->programs[contra->program].contra += contra->rollup + contra->above;
	}
	for (int i = 0; i < verify->program_count; i++)
	{
		const o2o_verify_program *program = &verify->programs[i];

		if (program->balance + program->contra != 0)
			o2o_verify_report(verify, "sum", i, false,
							  "accounts with a balance come to %s, the other sides to %s",
							  o2o_verify_points(program->balance),
							  o2o_verify_points(program->contra));
	}
}
