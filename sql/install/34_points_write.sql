-- The writer of postings. The C code is src/points/write*.c; it runs with the
-- caller's rights and opens nothing. The tables are made by setup().

CREATE FUNCTION o2o.points_write(profile_ids bigint[], account_ids bigint[], transfer_ids bigint[], contra_account_ids bigint[], operations text[],
	expires_at timestamptz[], grant_month date[], funding text[], amounts o2o.points[], request_ids uuid[],
	acting_profile_ids bigint[], customer_ids bigint[], reference text[], reason text[], occurred_at timestamptz[],
	reverses_transfer_ids bigint[]) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'o2o_points_write_call';
COMMENT ON FUNCTION o2o.points_write(bigint[], bigint[], bigint[], bigint[], text[], timestamptz[], date[], text[], o2o.points[], uuid[], bigint[], bigint[], text[], text[], timestamptz[], bigint[]) IS 'The only writer of postings: parallel arrays of instructions, one posting each, in their order; names as in points_posting. Gives each posting its account''s next version, running balance, rising posted_at and, where the account is chained, its link; writes the account row once per call, and does to each lot what points_operation() says of the operation: above zero granted, or given back where consumed, expired or clawed; below consumed, expired or clawed; never what is on hold. Without a lot (expires_at, grant_month and funding NULL) a posting makes (below zero) or repays (above) the debt of a member''s account; other kinds have no lots. The accounts are locked, by points_accounts_lock(), in an earlier statement. Runs with the caller''s rights, who needs those on the tables. Where these are not plain tables of this node (triggers, policies, partitions, indexes on expressions, a cluster), points_write_sql() does it. Errors: XX001 no such account, a lot has less than is taken, a debt is less than is repaid; 22023 no such operation, or it does not fit the sign, the lot or the kind of account; 22003 the balance is out of range; 22004 a value is missing; 2202E arrays of different lengths.';

CREATE FUNCTION o2o.points_post(profile_id bigint, account_id bigint, transfer_id bigint, contra_account_id bigint, operation text,
	expires_at timestamptz[], grant_month date[], funding text[], amounts o2o.points[], request_id uuid,
	acting_profile_id bigint, customer_id bigint, reference text, reason text, occurred_at timestamptz,
	reverses_transfer_id bigint DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'o2o_points_post_call';
COMMENT ON FUNCTION o2o.points_post(bigint, bigint, bigint, bigint, text, timestamptz[], date[], text[], o2o.points[], uuid, bigint, bigint, text, text, timestamptz, bigint) IS 'points_write for one account: one posting per lot, given as parallel arrays of their keys and amounts, in this order. One amount with the key NULL makes or repays the account''s debt, or is for an account without lots. The account is locked. Errors: as points_write.';
