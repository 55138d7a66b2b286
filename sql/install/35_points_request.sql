-- Requests, one or many, posted by C code (src/points/request*.c), which runs
-- with the caller's rights and opens nothing. API functions of the model call it.

CREATE FUNCTION o2o.points_execute(operations text[], profile_ids bigint[], counter_profile_ids bigint[], programs text[], amounts o2o.points[],
	request_ids uuid[], reference text[], reason text[], occurred_at timestamptz[])
RETURNS TABLE (n integer, code text, transfer_id bigint, balance o2o.points)
LANGUAGE c AS 'MODULE_PATHNAME', 'o2o_points_execute_call';
COMMENT ON FUNCTION o2o.points_execute(text[], bigint[], bigint[], text[], o2o.points[], uuid[], text[], text[], timestamptz[]) IS 'Posts requests, given as parallel arrays: operation (earn, burn, pay, transfer), profile, profile of the seller or of who is given to, program, amount, request_id, reference, reason, when it happened. Locks customers, then accounts, each set in ascending order, then posts in the order of the arrays; each request sees those before it. One row per request: its place, code (00000: posted; the SQLSTATE that the single call would raise: not posted; NULL: not posted, left to the single call, which knows more cases), transfer and balance of the customer after it. Runs with the caller''s rights, who needs those on the tables; where these are not plain tables of this node, everything is left. Error: 2202E arrays of different lengths.';

CREATE TYPE o2o.points_posted AS (transfer_id bigint, balance o2o.points);
COMMENT ON TYPE o2o.points_posted IS 'What a single posting answers.';
COMMENT ON COLUMN o2o.points_posted.transfer_id IS 'Number of the transfer, in points_posting';
COMMENT ON COLUMN o2o.points_posted.balance IS 'Balance of the customer in the program after it';

CREATE FUNCTION o2o.points_payload(operation text, person text, counterparty text, amount o2o.points, program text, reference text, reason text,
	occurred_at timestamptz, funding text, activate_at timestamptz) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'o2o_points_payload_call';
COMMENT ON FUNCTION o2o.points_payload(text, text, text, o2o.points, text, text, text, timestamptz, text, timestamptz) IS 'The arguments that an idempotency key of earn, burn, pay or transfer stands for, as JSON text, the same in single calls and batches. Persons as the caller gave them: identifier or id. An occurred_at that is now() is no argument: a retry has another one.';

CREATE FUNCTION o2o.points_post_one(operation text, identifier o2o.identifier, person bigint, counterparty_identifier o2o.identifier, counterparty bigint,
	amount o2o.points, program text, reference text, reason text, idempotency_key text, occurred_at timestamptz, funding text, activate_at timestamptz)
RETURNS o2o.points_posted
LANGUAGE c AS 'MODULE_PATHNAME', 'o2o_points_post_one_call';
COMMENT ON FUNCTION o2o.points_post_one(text, o2o.identifier, bigint, o2o.identifier, bigint, o2o.points, text, text, text, text, timestamptz, text, timestamptz) IS 'One request (earn, burn, pay, transfer) with an idempotency key or without (NULL), between persons given by identifiers, or by ids where those are NULL. Claims the key, or answers as the first call did; then posts as points_execute does, or where that leaves or refuses it, as points_post_single() of the model does; and keeps the answer. Runs with the caller''s rights, who needs those on the tables and on that function. Errors: those of the single call.';
